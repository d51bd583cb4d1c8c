/** `zk rm`: a znode, or a subtree, is deleted. */
import { NotEmpty } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import { Client } from "../frame/Client.ts"
import { UsageError } from "../frame/errors.ts"
import { count, shown } from "../output/text.ts"
import { confirm } from "./ask.ts"
import { printChanges } from "./report.ts"

export interface Input {
  readonly path: string
  readonly recursive: boolean
  readonly version: number | undefined
  readonly yes: boolean
}

export const rm = Effect.fnUntraced(function* ({ path, recursive, version, yes }: Input) {
  if (recursive && version !== undefined) {
    return yield* new UsageError({ message: "--version is for a single znode, and not for -r" })
  }
  yield* Effect.fromResult(ZnodePath.validate(path))
  if (path === "/") return yield* new UsageError({ message: "the root cannot be deleted; name the znodes below it" })
  const zk = yield* (yield* Client).writer("rm")
  if (!recursive) {
    yield* Effect.catchTag(zk.delete(path, { version }), "NotEmpty", (error) =>
      Effect.fail(new NotEmpty({ ...error, path }))
    )
    return yield* printChanges([{ action: "deleted", path }])
  }
  const below = yield* zk.countDescendants(path)
  const what = below === 0 ? "" : ` and the ${count(below, "znode")} below it`
  yield* confirm(`Delete ${shown(path)}${what}?`, yes)
  yield* zk.deleteAll(path)
  yield* printChanges([{ action: "deleted", path }])
})
