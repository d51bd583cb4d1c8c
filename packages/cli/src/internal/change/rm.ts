/** `zk rm`: a znode, or a subtree, is deleted. */
import { NotEmpty } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { Service } from "@effect-zookeeper/client/Service"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Client } from "../frame/Client.ts"
import { UsageError } from "../frame/errors.ts"
import { Printer } from "../output/Printer.ts"
import { withCount } from "../output/progress.ts"
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
  const deleting = Effect.tapError(zk.deleteAll(path), () => reportRest(zk, path, below + 1))
  const done = Effect.map(zk.countDescendants(path), (left) => below - left)
  yield* withCount({ phase: "deleted", done, total: Effect.succeed(below + 1) }, deleting)
  yield* printChanges([{ action: "deleted", path }])
})

// ---- internal

/** A subtree is deleted in several steps: an error that comes between them says how far it went. */
const reportRest = (zk: Service, path: string, before: number) =>
  Effect.gen(function* () {
    const { note } = yield* Printer
    const left = yield* Effect.option(zk.countDescendants(path))
    yield* note(
      Option.isNone(left)
        ? `some of the ${count(before, "znode")} may have been deleted`
        : `${left.value + 1} of the ${count(before, "znode")} are left; the same command goes on with them`
    )
  })
