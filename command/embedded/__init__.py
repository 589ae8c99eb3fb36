"""Private PostgreSQL and Valkey servers, each living in one folder: no root, no system service, no TCP port."""
