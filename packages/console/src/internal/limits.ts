/** The most that a page gets at a time, so that neither a page nor a tree of any size takes the server down. */

/** Names in one page of a directory. */
export const names = 1_000

/** Children of a directory that is listed. Their names have to fit into a frame of the session, too. */
export const children = 250_000

/** Names that come or go in one item of a directory; beyond, the list begins anew. */
export const changes = 500

/** Paths whose rows one stream follows. */
export const rows = 500

/** Bytes of data in one item. */
export const data = 4 * 1024 * 1024

/** Matches of one search. */
export const matches = 1_000

/** Znodes that one removal deletes. */
export const removal = 100_000

/** Znodes that one import or copy creates. */
export const grafted = 20_000

/** Znodes of an export, and the bytes of its file. */
export const exported = 100_000
export const exportedBytes = 256 * 1024 * 1024

/** Exports, imports and copies that run at a time. */
export const archives = 4

/** Bytes of a file that is imported: it has to fit into a message, as Base64. */
export const imported = 5 * 1024 * 1024

/** Znodes of a subtree whose bytes are counted. */
export const counted = 5_000

/** Znodes that one scan for recipes visits. */
export const scanned = 20_000

/** Znodes that the doctor looks at. */
export const examined = 20_000

/** Sessions in one answer, and the paths of one of them. */
export const sessions = 1_000
export const sessionPaths = 1_000

/** Streams and requests that one page has open at a time. */
export const streams = 256

/** Pages that are connected at a time. */
export const pages = 64

/** Bytes of one message of a page: the largest data of a znode, as Base64, and room for more. */
export const message = 8 * 1024 * 1024
