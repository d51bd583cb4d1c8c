/** `zk ui` as a process: the console with what `zk` knows about members and sessions. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"
import { pageFolder } from "./pageFiles.ts"

// The command line depends on the console, and so it is no dependency of it.
const script = fileURLToPath(new URL("../../../cli/src/internal/zk.ts", import.meta.url))

/** Starts it for these servers on a free port, and gives its link with the token. It is killed with the Scope. */
export const startZkUi = Effect.fnUntraced(function* (
  servers: string,
  ...args: ReadonlyArray<string>
): Effect.fn.Return<string, never, Scope.Scope> {
  const page = yield* pageFolder
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn(
        process.execPath,
        [script, "ui", "--servers", servers, "--port", "0", "--page", page, "--ndjson", ...args],
        { stdio: ["ignore", "pipe", "pipe"] }
      )
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const printed = yield* Effect.promise(
    () =>
      new Promise<string>((resolve, reject) => {
        let out = ""
        let err = ""
        child.stderr.on("data", (chunk) => (err += String(chunk)))
        child.stdout.on("data", (chunk) => {
          out += String(chunk)
          if (out.endsWith("\n")) resolve(out)
        })
        child.once("close", () => reject(new Error(`zk ui has ended: ${err}`)))
      })
  )
  const { link }: { readonly link: string } = JSON.parse(printed)
  return link
})
