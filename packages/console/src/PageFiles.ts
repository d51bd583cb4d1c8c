/**
 * The files of the built page, read once: the server gives these and no others.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"

/**
 * A file of the page. The content of `index.html` is text, in which a number used once is put in.
 *
 * @category models
 * @since 0.1.0
 */
export interface PageFile {
  readonly type: string
  readonly content: string | Uint8Array
}

/**
 * The files by their paths in a URL, such as `/assets/index-1a2b3c.js`.
 *
 * @category models
 * @since 0.1.0
 */
export type PageFiles = ReadonlyMap<string, PageFile>

/**
 * Reads the folder into which the page was built. Files of other types than a page has are left out.
 *
 * @example
 * ```ts
 * import * as PageFiles from "@effect-zookeeper/console/PageFiles"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 *
 * export const files = PageFiles.load("packages/console/dist/page").pipe(Effect.provide(NodeServices.layer))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const load = Effect.fnUntraced(function* (
  folder: string
): Effect.fn.Return<PageFiles, PlatformError, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const files = new Map<string, PageFile>()
  for (const name of yield* fs.readDirectory(folder, { recursive: true })) {
    const type = types[paths.extname(name)]
    if (type === undefined) continue
    const file = paths.join(folder, name)
    const path = `/${name.split(paths.sep).join("/")}`
    files.set(path, {
      type,
      content: path.endsWith(".html") ? yield* fs.readFileString(file) : yield* fs.readFile(file)
    })
  }
  return files
})

// ---- internal

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2"
}
