"""云付 YunPay, an invented payment provider: orders, a page on which to pay, refunds, notices and day files."""
