/** The files of the console's page: beside the executable, or where a clone builds them. */
import * as PageFiles from "@effect-zookeeper/console/PageFiles"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { fileURLToPath } from "node:url"
import { FileError } from "../frame/errors.ts"
import { reasonOf } from "../frame/reasons.ts"

export const pageFiles = Effect.fnUntraced(function* (given: string | undefined) {
  const fs = yield* FileSystem.FileSystem
  for (const folder of given === undefined ? folders : [given]) {
    const isThere = yield* Effect.orElseSucceed(fs.exists(`${folder}/index.html`), () => false)
    if (!isThere) continue
    return yield* Effect.mapError(
      PageFiles.load(folder),
      (error) => new FileError({ message: `the files of the page in ${folder} cannot be read: ${reasonOf(error)}` })
    )
  }
  return yield* new FileError({
    message:
      given === undefined
        ? "the page of the console is not built; in a clone, `npx -y pnpm@12 ui` builds it"
        : `${given}, which --page names, is no folder with a page`
  })
})

// ---- internal

const folders: ReadonlyArray<string> = ["./page", "../../../../console/dist/page"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url))
)
