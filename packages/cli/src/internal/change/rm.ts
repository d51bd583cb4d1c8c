/** `zk rm`: a znode, or a subtree, is deleted. */
import { NotEmpty } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { Service } from "@effect-zookeeper/client/Service"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import * as TreeWalk from "../../TreeWalk.ts"
import { Client } from "../frame/Client.ts"
import { UsageError } from "../frame/errors.ts"
import { Printer } from "../output/Printer.ts"
import { withCount } from "../output/progress.ts"
import { count, shown } from "../output/text.ts"
import { reportUnfinished } from "../output/unfinished.ts"
import { confirm } from "./ask.ts"
import { namingVersion } from "./otherVersion.ts"
import { refuseOwn } from "./ownZnodes.ts"
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
  yield* refuseOwn(path)
  const zk = yield* (yield* Client).writer("rm")
  const { note } = yield* Printer
  if (!recursive) {
    const owner = yield* ownerOf(zk, path)
    if (owner !== undefined) yield* note(warningOf([{ path, owner }]))
    // A script needs no --yes for a znode without children.
    const asks = owner !== undefined && (yield* (yield* Stdio.Stdio).stdinIsTerminal)
    if (asks) yield* confirm(`Delete ${shown(path)}?`, yes)
    yield* zk.delete(path, { version }).pipe(
      Effect.catchTag("NotEmpty", (error) => Effect.fail(new NotEmpty({ ...error, path }))),
      namingVersion(zk, path, version)
    )
    return yield* printChanges([{ action: "deleted", path }])
  }
  const below = yield* zk.countDescendants(path)
  // A walk through a large subtree would take as long as its deletion.
  const ephemerals = below > 1000 ? [] : yield* ephemeralsOf(zk, path)
  if (ephemerals.length > 0) yield* note(warningOf(ephemerals))
  const what = below === 0 ? "" : ` and the ${count(below, "znode")} below it`
  yield* confirm(`Delete ${shown(path)}${what}?`, yes)
  const deleting = zk.deleteAll(path).pipe(reportUnfinished(reportRest(zk, path, below + 1)))
  const done = Effect.map(zk.countDescendants(path), (left) => below - left)
  yield* withCount({ phase: "deleted", done, total: Effect.succeed(below + 1) }, deleting)
  yield* printChanges([{ action: "deleted", path }])
})

// ---- internal

/** The session of an ephemeral znode, which is another than that of this command; undefined where the ACL keeps it back. */
const ownerOf = (zk: Service, path: string) =>
  zk.stat(path).pipe(
    Effect.map((stat) =>
      Option.isSome(stat) && Output.kindOf(stat.value.ephemeralOwner) === "ephemeral"
        ? stat.value.ephemeralOwner
        : undefined
    ),
    Effect.catchTag("NoAuth", () => Effect.undefined)
  )

interface Ephemeral {
  readonly path: string
  readonly owner: bigint
}

/** The ephemeral znodes of a subtree, as far as it can be read: what cannot be deleted is said by the deletion. */
const ephemeralsOf = (zk: Service, path: string) =>
  TreeWalk.walk(zk, path, { multiRead: true, skipTooLarge: true }).pipe(
    Stream.filter(({ stat }) => stat !== undefined && Output.kindOf(stat.ephemeralOwner) === "ephemeral"),
    Stream.map(({ path, stat }): Ephemeral => ({ path, owner: stat?.ephemeralOwner ?? 0n })),
    Stream.runCollect,
    Effect.orElseSucceed((): ReadonlyArray<Ephemeral> => [])
  )

const warningOf = ([first, ...others]: ReadonlyArray<Ephemeral>): string => {
  const path = shown(first?.path ?? "")
  const session = `the session ${Output.formatHex(first?.owner ?? 0n)}, which may go on in the belief that it has it, as a lock`
  const more = others.length === 0 ? "" : `; and ${count(others.length, "ephemeral znode")} more`
  return `${path} is an ephemeral znode of ${session}${more}`
}

/** A subtree is deleted in several steps: whatever comes between them, it says how far it went. */
const reportRest = (zk: Service, path: string, before: number) =>
  Effect.gen(function* () {
    const { note } = yield* Printer
    const all = count(before, "znode")
    const below = zk.countDescendants(path).pipe(
      Effect.map((below) => below + 1),
      Effect.catchTag("NoNode", () => Effect.succeed(0)),
      // The part of the message that is known is written before the patience with this command is over.
      Effect.timeoutOption("1500 millis"),
      Effect.orElseSucceed(() => Option.none<number>())
    )
    const left = yield* below
    yield* note(
      Option.isNone(left)
        ? `some of the ${all} may have been deleted; the same command goes on with the others`
        : left.value === 0
          ? `all of the ${all} are deleted`
          : `${left.value} of the ${all} are left; the same command goes on with them`
    )
  })
