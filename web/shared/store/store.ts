/** A small drawer on the device for keys and what must outlive the page; keys go in as they are, unreadable. */
export interface Store {
  get<T>(name: string): Promise<T | undefined>
  set(name: string, value: unknown): Promise<void>
  /** As `set`, without waiting for the disk: for what may be lost with the power, though not with the page. */
  note(name: string, value: unknown): Promise<void>
  remove(name: string): Promise<void>
}

/** IndexedDB: it holds CryptoKey objects that cannot be read. */
export function browserStore(database: string): Store {
  let opened: Promise<IDBDatabase> | undefined
  const open = (): Promise<IDBDatabase> => (opened ??= connect(database))
  const ask = async <T>(mode: IDBTransactionMode, what: (shelf: IDBObjectStore) => IDBRequest, durability: IDBTransactionDurability = 'strict'): Promise<T> => {
    const work = (await open()).transaction('drawer', mode, { durability })
    const request = what(work.objectStore('drawer'))
    return new Promise<T>((done, fail) => {
      work.oncomplete = () => done(request.result as T)
      work.onabort = work.onerror = () => fail(work.error ?? request.error)
    })
  }
  return {
    get: (name) => ask('readonly', (shelf) => shelf.get(name)),
    set: (name, value) => ask('readwrite', (shelf) => shelf.put(value, name)),
    note: (name, value) => ask('readwrite', (shelf) => shelf.put(value, name), 'relaxed'),
    remove: (name) => ask('readwrite', (shelf) => shelf.delete(name)),
  }
}

function connect(database: string): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const request = indexedDB.open(database, 1)
    request.onupgradeneeded = () => request.result.createObjectStore('drawer')
    request.onsuccess = () => done(request.result)
    request.onerror = () => fail(request.error)
  })
}

/** A drawer that forgets everything with the page: for tests. */
export function memoryStore(): Store {
  const kept = new Map<string, unknown>()
  return {
    get: <T>(name: string) => Promise.resolve(kept.get(name) as T | undefined),
    set: async (name, value) => void kept.set(name, value),
    note: async (name, value) => void kept.set(name, value),
    remove: async (name) => void kept.delete(name),
  }
}
