/** `zk cp` and `zk mv`: a subtree is copied or moved in one transaction, so that it is done wholly or not at all. */
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { Service } from "@effect-zookeeper/client/Service"
import * as Op from "@effect-zookeeper/client/Op"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import * as TreeWalk from "../../TreeWalk.ts"
import { Client } from "../frame/Client.ts"
import { Conflict, UsageError } from "../frame/errors.ts"
import { Printer } from "../output/Printer.ts"
import { withCount } from "../output/progress.ts"
import { count, shown } from "../output/text.ts"
import { refuseOwn } from "./ownZnodes.ts"
import { printChanges } from "./report.ts"

export interface Input {
  readonly source: string
  readonly target: string
  readonly recursive: boolean
  readonly force: boolean
}

export const cp = (input: Input) => transfer("cp", input)
export const mv = (input: Omit<Input, "recursive">) => transfer("mv", { ...input, recursive: true })

// ---- internal

/** What servers take in one request unless they are configured otherwise: jute.maxbuffer is 1 MiB. */
const usualBytes = 900_000
const maxZnodes = 5000

interface Original {
  readonly path: string
  readonly data: Uint8Array
  readonly acl: ReadonlyArray<Acl.Acl>
  readonly version: number
}

const transfer = Effect.fnUntraced(function* (command: "cp" | "mv", input: Input) {
  const { force, recursive, source, target } = input
  yield* Effect.fromResult(ZnodePath.validate(source, "the source"))
  yield* Effect.fromResult(ZnodePath.validate(target, "the target"))
  if (ZnodePath.isUnder(source, target)) {
    const verb = command === "mv" ? "moved" : "copied"
    return yield* new UsageError({
      message:
        source === target
          ? `${shown(target)} is the source itself`
          : source === "/"
            ? `the root cannot be ${verb} into itself; name the znodes below it`
            : `${shown(target)} is below ${shown(source)}, which cannot be ${verb} into itself`
    })
  }
  if (command === "mv") yield* refuseOwn(source)
  const client = yield* Client
  const { maxBuffer } = client.settings
  const zk = yield* client.writer(command)
  // The rest is for what a request has beside paths and data.
  const maxBytes = maxBuffer === undefined ? usualBytes : Math.floor(maxBuffer * 0.85)
  const { originals, ephemerals, hasMore } = yield* readOriginals(zk, { command, source, target, recursive, maxBytes })
  if (hasMore && !recursive) {
    return yield* new Conflict({ message: `${shown(source)} has children; -r copies them too` })
  }
  if (ephemerals > 0) {
    if (command === "mv") {
      return yield* new Conflict({
        message: `${count(ephemerals, "znode")} of ${shown(source)} ${ephemerals === 1 ? "is" : "are"} ephemeral and cannot be moved away from the session that owns ${ephemerals === 1 ? "it" : "them"}; nothing was changed`
      })
    }
    if (originals.length === 0) {
      return yield* new Conflict({ message: `${shown(source)} is ephemeral, and is not copied; nothing was changed` })
    }
    yield* (yield* Printer).note(`${count(ephemerals, "ephemeral znode")} left out`)
  }
  const replaced = yield* readTarget(zk, target, force)
  const moved = (path: string) => target + path.slice(source === "/" ? 0 : source.length)
  const writes: ReadonlyArray<Op.Write> = [
    ...replaced,
    ...originals.map(({ acl, data, path }) => Op.create(moved(path), { data, acl })),
    ...(command === "mv"
      ? originals.toReversed().map(({ path, version }) => Op.delete(path, { version }))
      : originals.map(({ path, version }) => Op.check(path, version)))
  ]
  yield* zk.transaction(writes).pipe(
    Effect.mapError((error) =>
      error._tag === "TransactionFailed" && error.error._tag === "NotEmpty"
        ? new Conflict({
            message: `${shown(error.error.path)} has children that came meanwhile; nothing was changed: try again`
          })
        : error
    )
  )
  yield* printChanges(
    originals.map(({ path }) => ({
      action: command === "mv" ? ("moved" as const) : ("copied" as const),
      path: moved(path)
    }))
  )
})

/** The znodes that are copied, parents first. Servers do not tell which are containers or have a TTL: a copy is persistent. Nothing has been written when it fails. */
const readOriginals = Effect.fnUntraced(function* (
  zk: Service,
  {
    command,
    maxBytes,
    recursive,
    source,
    target
  }: Pick<Input, "recursive" | "source" | "target"> & { readonly command: "cp" | "mv"; readonly maxBytes: number }
) {
  let ephemerals = 0
  let hasMore = false
  let bytes = 0
  const paths: Array<TreeWalk.Visited> = []
  const tooLarge = () =>
    new Conflict({
      message: `${shown(source)} is too large for one transaction (at most ${maxZnodes} znodes and ${maxBytes} bytes); nothing was changed: \`zk copy ${shown(source)} ${shown(target)}\` copies a tree of any size, step by step${command === "mv" ? `, and \`zk rm -r ${shown(source)}\` deletes the source then` : ""}`
    })
  let visited = 0
  const listing = TreeWalk.walk(zk, source, recursive ? {} : { maxDepth: 0 }).pipe(
    Stream.runForEach((znode) => {
      visited++
      if (znode.stat !== undefined && Output.kindOf(znode.stat.ephemeralOwner) === "ephemeral") {
        ephemerals++
        return Effect.void
      }
      if (znode.depth === 0 && znode.children.length > 0) hasMore = true
      bytes += (znode.stat?.dataLength ?? 0) + 2 * znode.path.length + 100
      if (bytes > maxBytes || paths.length >= maxZnodes) return tooLarge()
      paths.push(znode)
      return Effect.void
    })
  )
  yield* withCount(
    {
      phase: "listed znodes",
      done: Effect.sync(() => visited),
      total: recursive ? Effect.map(zk.countDescendants(source), (below) => below + 1) : Effect.succeed(1)
    },
    listing
  )
  let read = 0
  const reading = Effect.forEach(
    paths,
    ({ path }) =>
      Effect.map(
        Effect.all([zk.get(path), zk.getAcl(path)], { concurrency: 2 }),
        ([{ data, stat: current }, { acl }]): Original => {
          read++
          return { path, data, acl, version: current.version }
        }
      ),
    { concurrency: 64 }
  )
  const originals = yield* withCount(
    { phase: "read znodes", done: Effect.sync(() => read), total: Effect.succeed(paths.length) },
    reading
  )
  return { originals, ephemerals, hasMore }
})

/** The writes that remove a target that is in the way. */
const readTarget = Effect.fnUntraced(function* (zk: Service, target: string, force: boolean) {
  const found = yield* zk.stat(target)
  if (Option.isNone(found)) return []
  if (found.value.numChildren > 0) {
    return yield* new Conflict({
      message: `${shown(target)} exists already and has children, and is not replaced, also with --force; delete it first`
    })
  }
  if (!force) return yield* new Conflict({ message: `${shown(target)} exists already; --force replaces it` })
  return [Op.delete(target, { version: found.value.version })]
})
