/** `zk acl set`: a new ACL for a znode, or for all znodes of a subtree. */
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TreeWalk from "../../TreeWalk.ts"
import { Client } from "../frame/Client.ts"
import { Incomplete, UsageError } from "../frame/errors.ts"
import { Printer } from "../output/Printer.ts"
import { withCount } from "../output/progress.ts"
import { count, shown } from "../output/text.ts"
import * as AclRisks from "./aclRisks.ts"
import { parseAcl, readAclFile } from "./aclText.ts"
import { confirm } from "./ask.ts"
import { type Change, printChanges, printChangesAsDone } from "./report.ts"

export interface Input {
  readonly path: string
  readonly entries: ReadonlyArray<string>
  readonly file: string | undefined
  readonly recursive: boolean
  readonly version: number | undefined
  readonly yes: boolean
}

export const aclSet = Effect.fnUntraced(function* (input: Input) {
  const { path, recursive, version, yes } = input
  yield* Effect.fromResult(ZnodePath.validate(path))
  if (recursive && version !== undefined) {
    return yield* new UsageError({ message: "--version is for a single znode, and not for -R" })
  }
  const acl = yield* aclOf(input)
  const client = yield* Client
  const zk = yield* client.writer("acl set")
  const self = yield* AclRisks.identify(zk, client.settings)
  if (acl.some(({ scheme }) => scheme === "auth") && !AclRisks.isKnown(self)) {
    return yield* new UsageError({
      message:
        "auth stands for your own identities, and you have none; --auth-file gives credentials. Nothing was changed"
    })
  }
  const open = AclRisks.openTo(acl)
  if (open.length > 0) yield* (yield* Printer).note(`open to the world: everybody may ${list(open)}`)
  const isLocked = !AclRisks.keepsAdmin(self, acl)
  const loss = isLocked ? "You could not change it again: the ACL gives you no ADMIN. " : ""
  if (!recursive) {
    if (isLocked) yield* confirm(`${loss}Set the ACL of ${shown(path)}?`, yes)
    const { aversion } = yield* zk.setAcl(path, acl, { version })
    return yield* printChanges([{ action: "aclSet", path, aversion }])
  }
  const znodes = yield* listSubtree(zk, path)
  const below = znodes.length - 1
  const what = below === 0 ? "" : ` and of the ${count(below, "znode")} below it`
  yield* confirm(`${loss}Set the ACL of ${shown(path)}${what}?`, yes)
  yield* printChangesAsDone(setAll(zk, znodes, acl))
})

// ---- internal

const aclOf = Effect.fnUntraced(function* ({ entries, file }: Input) {
  if (entries.length > 0 && file !== undefined) {
    return yield* new UsageError({ message: "the ACL was given twice, as arguments and with --file: choose one" })
  }
  if (file !== undefined) return yield* readAclFile(file)
  const acl = yield* parseAcl(entries, "acl")
  return acl.length === 0
    ? yield* new UsageError({ message: "no ACL: give entries such as world:anyone:r, or --file" })
    : acl
})

const list = (parts: ReadonlyArray<string>): string =>
  parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts[parts.length - 1]}`

interface Target {
  readonly path: string
  readonly depth: number
}

/** All of it, before anything is changed: a new ACL may keep this client from reading. */
const listSubtree = Effect.fnUntraced(function* (zk: Service, path: string) {
  const znodes: Array<Target> = []
  const isOwn = (znode: Target): boolean => znode.depth === 0 || znode.path !== "/zookeeper"
  let visited = 0
  const listing = TreeWalk.walk(zk, path, { descend: isOwn }).pipe(
    Stream.runForEach((znode) => {
      visited++
      if (znode.isForbidden && znode.stat?.numChildren !== 0) {
        return new Incomplete({
          message: `the children of ${shown(znode.path)} may not be read, and nothing was changed; --auth-file gives credentials`
        })
      }
      if (isOwn(znode)) znodes.push({ path: znode.path, depth: znode.depth })
      return Effect.void
    })
  )
  yield* withCount(
    {
      phase: "listed znodes",
      done: Effect.sync(() => visited),
      total: Effect.map(zk.countDescendants(path), (below) => below + 1)
    },
    listing
  )
  return znodes
})

/** From the bottom up: until the end, the same command can read what is left. */
const setAll = (zk: Service, znodes: ReadonlyArray<Target>, acl: ReadonlyArray<Acl.Acl>) => {
  const levels: Array<Array<string>> = []
  for (const { depth, path } of znodes) (levels[depth] ??= []).push(path)
  let done = 0
  return Stream.fromIterable(levels.toReversed()).pipe(
    Stream.flatMap((paths) =>
      Stream.fromIterable(paths).pipe(
        Stream.mapEffect(
          (path) =>
            zk.setAcl(path, acl).pipe(
              Effect.map(({ aversion }): ReadonlyArray<Change> => [{ action: "aclSet", path, aversion }]),
              // It was deleted meanwhile.
              Effect.catchTag("NoNode", () => Effect.succeed<ReadonlyArray<Change>>([]))
            ),
          { concurrency: 64 }
        ),
        Stream.flattenIterable,
        Stream.tap(() => Effect.sync(() => done++))
      )
    ),
    Stream.onError(() =>
      Effect.flatMap(Printer, ({ note }) =>
        note(`${done} of the ${count(znodes.length, "znode")} have the ACL; the same command goes on with all of them`)
      )
    )
  )
}
