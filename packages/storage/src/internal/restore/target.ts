/** The tree into which znodes are written. */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import type { ChildrenAndStat, Stat } from "@effect-zookeeper/client/Models"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as Requests from "@effect-zookeeper/client/Requests"
import type { Service } from "@effect-zookeeper/client/Service"
import type { Acl } from "@effect-zookeeper/client/Acl"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { LiveReader } from "../live/model.ts"
import { currentTogether, type JointReads, visitRead } from "../live/readTogether.ts"
import { readDataAndAcl, retryingTransient } from "../live/readZnode.ts"
import { type Visit, walk } from "../live/walk.ts"
import { type Current, temporaryEntry } from "./decide.ts"

/** The Stats of all znodes of a subtree, by their paths. */
export const indexOf = (
  zk: LiveReader,
  root: string,
  concurrency: number,
  onVisited: (count: number) => void
): Effect.Effect<ReadonlyMap<string, Stat>, ReadError> =>
  Effect.suspend(() => {
    const index = new Map<string, Stat>()
    const visitOf = (path: string, { children, stat }: ChildrenAndStat): Visit<void> => {
      index.set(path, stat)
      return { value: undefined, children }
    }
    const visit = (path: string) =>
      retryingTransient(zk.getChildrenWithStat(path)).pipe(
        Effect.map((found) => visitOf(path, found)),
        Effect.catchTag("NoNode", () => Effect.undefined)
      )
    // Those that fail are asked again, each by itself.
    const visitAll = (paths: ReadonlyArray<string>) =>
      Effect.flatMap(Requests.exits(paths.map((path) => zk.getChildrenWithStat(path))), (replies) =>
        visitRead(
          paths,
          (path, at) => {
            const reply = replies[at]
            return reply === undefined || Exit.isFailure(reply) ? undefined : visitOf(path, reply.value)
          },
          visit
        )
      )
    return walk(root, visitAll, concurrency, () => 0).pipe(
      Stream.runForEach(() => Effect.sync(() => onVisited(index.size))),
      Effect.as(index)
    )
  })

/** A znode as it is; undefined if there is none. */
export const readCurrent = (zk: LiveReader, path: string): Effect.Effect<Current | undefined, ReadError> =>
  retryingTransient(
    Effect.map(readDataAndAcl(zk, path), ([{ data, stat }, { acl }]): Current => ({ data, stat, acl }))
  ).pipe(Effect.catchTag("NoNode", () => Effect.undefined))

/** Znodes as they are, by their paths, all at once. Those that are gone are missing. */
export const readAllCurrent = (
  joint: JointReads,
  paths: ReadonlyArray<string>,
  seen?: Pick<ReadonlyMap<string, Stat>, "get">
): Effect.Effect<ReadonlyMap<string, Current>, ReadError> =>
  Effect.gen(function* () {
    const found = new Map<string, Current>(yield* currentTogether(joint, paths, seen))
    const others = paths.filter((path) => !found.has(path))
    const read = (path: string) =>
      Effect.map(readCurrent(joint.zk, path), (current) => {
        if (current !== undefined) found.set(path, current)
      })
    yield* Effect.forEach(others, read, { concurrency: "unbounded", discard: true })
    return found
  })

/** Creates the ancestors of a path that are missing. */
export const ensureAncestors = (zk: Service, path: string) =>
  Effect.forEach(
    ZnodePath.ancestors(path).slice(1),
    (ancestor) =>
      Effect.gen(function* () {
        if (yield* Outcome.retryTransient(zk.exists(ancestor))) return
        yield* Outcome.retryTransient(zk.create(ancestor, { idempotent: true })).pipe(
          Effect.catchTag("NodeExists", () => Effect.void)
        )
      }),
    { discard: true }
  )

/**
 * The entries that give this client all permissions until its work on a znode is done: none if it needs none; undefined if it is
 * not known under which identity the servers see the client.
 */
export const ownEntries = (zk: Service): Effect.Effect<ReadonlyArray<Acl> | undefined> =>
  Outcome.retryTransient(zk.whoAmI).pipe(
    Effect.map((identities) => {
      if (identities.some(({ scheme }) => scheme === "super")) return []
      if (identities.some(({ scheme }) => scheme !== "ip")) return [temporaryEntry("auth", "")]
      const address = identities.find(({ scheme }) => scheme === "ip")
      return address === undefined ? undefined : [temporaryEntry("ip", address.id)]
    }),
    // Servers before 3.7 do not tell.
    Effect.orElseSucceed(() => undefined)
  )
