/** The answers to the requests of pages. */
import type { Service } from "@effect-zookeeper/client/Service"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Rpc from "effect/rpc/Rpc"
import { Console } from "../Protocol.ts"
import { type NoSuchCluster, ReadOnly, Refused, type Unavailable } from "../ProtocolError.ts"
import type { Clusters, Connected, Members } from "./clusters/Clusters.ts"
import { exportSubtree } from "./archive/export.ts"
import { copySubtree, importSubtree } from "./archive/graft.ts"
import * as Edits from "./edits/edits.ts"
import { recipeEvents } from "./ensemble/recipes.ts"
import { sessionOver } from "./failures.ts"
import * as limits from "./limits.ts"
import { directoryEvents, directoryPage } from "./tree/directories.ts"
import { treeEvents } from "./tree/events.ts"
import { rowEvents } from "./tree/rows.ts"
import { search, subtreeSize } from "./tree/search.ts"
import { znodeEvents } from "./tree/znode.ts"

export interface Options {
  readonly clusters: Clusters
  readonly version: string
  readonly canWrite: boolean
  /** For exports and imports. */
  readonly fs: FileSystem.FileSystem
}

export const makeHandlers = ({ canWrite, clusters, fs, version }: Options) => {
  const slots = makeSlots()
  const archives = makeArchives()
  /** A stream on the session of a cluster, which waits for it as long as it takes. */
  const live = <A, E>(
    { client }: Asked,
    cluster: string,
    stream: (connected: Connected) => Stream.Stream<A, E>
  ): Stream.Stream<A, E | NoSuchCluster | Refused> =>
    Stream.unwrap(Effect.andThen(slots.take(client), Effect.map(clusters.use(cluster), stream)))
  /** One that goes on until the page interrupts it: its end is that of the session. */
  const endless = <A, E>(asked: Asked, cluster: string, stream: (connected: Connected) => Stream.Stream<A, E>) =>
    Stream.concat(live(asked, cluster, stream), Stream.fail(sessionOver))
  const once = <A, E>(
    { client }: Asked,
    cluster: string,
    effect: (connected: Connected) => Effect.Effect<A, E, Scope.Scope>
  ): Effect.Effect<A, E | NoSuchCluster | Refused | Unavailable> =>
    Effect.scoped(Effect.andThen(slots.take(client), Effect.flatMap(clusters.useSoon(cluster), effect)))
  const change = <A, E>(
    asked: Asked,
    cluster: string,
    effect: (zk: Service) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | NoSuchCluster | Refused | Unavailable | ReadOnly> =>
    Effect.gen(function* () {
      const { readOnly } = yield* clusters.find(cluster)
      if (!canWrite) return yield* new ReadOnly({ source: "it was started without --write" })
      if (readOnly !== undefined) return yield* new ReadOnly({ source: readOnly })
      return yield* once(asked, cluster, ({ zk }) => effect(zk))
    })
  /** A question to the members, which needs no session. */
  const asking = <A, E extends { readonly message: string }>(
    { client }: Asked,
    cluster: string,
    question: (members: Members) => Effect.Effect<A, E>
  ) =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* slots.take(client)
        const members = yield* clusters.members(cluster)
        if (members === undefined) return yield* noInspector
        return yield* Effect.mapError(
          question(members),
          ({ message }) => new Refused({ reason: "unsupported", message })
        )
      })
    )

  return Console.of({
    hello: () =>
      Effect.succeed({
        version,
        canWrite,
        limits: {
          names: limits.names,
          children: limits.children,
          rows: limits.rows,
          data: limits.data,
          matches: limits.matches,
          removal: limits.removal,
          grafted: limits.grafted,
          exported: limits.exported,
          imported: limits.imported,
          streams: limits.streams
        }
      }),
    clusters: (_, { client }) => Stream.unwrap(Effect.as(slots.take(client), clusters.states)),

    directory: ({ cluster, filter, limit, path }, asked) =>
      live(asked, cluster, ({ directories }) =>
        directoryEvents(directories, path, filter, atMost(limit, limits.names))
      ),
    directoryPage: ({ cluster, filter, limit, offset, path }, asked) =>
      once(asked, cluster, ({ directories }) =>
        directoryPage(directories, path, filter, Math.max(0, offset), atMost(limit, limits.names))
      ),
    rows: ({ cluster, paths }, asked) =>
      paths.length > limits.rows
        ? Stream.fail(new Refused({ reason: "tooMuch", message: `${limits.rows} rows are followed at most` }))
        : live(asked, cluster, ({ rows }) => rowEvents(rows, paths)),
    subtreeSize: ({ cluster, path }, asked) => once(asked, cluster, ({ zk }) => subtreeSize(zk, path)),
    search: ({ cluster, path, ...wanted }, asked) =>
      wanted.text === ""
        ? Stream.fail(new Refused({ reason: "invalid", message: "there is no text to look for" }))
        : live(asked, cluster, ({ reads, zk }) => search(zk, reads, path, wanted)),
    events: ({ cluster, path }, asked) => endless(asked, cluster, ({ zk }) => treeEvents(zk, path)),

    znode: ({ cluster, limit, path }, asked) =>
      endless(asked, cluster, ({ cluster, zk }) => znodeEvents(zk, path, atMost(limit, limits.data), cluster.formats)),
    create: ({ cluster, ...created }, asked) => change(asked, cluster, (zk) => Edits.create(zk, created)),
    save: ({ cluster, czxid, data, path, version }, asked) =>
      change(asked, cluster, (zk) => Edits.save(zk, { path, czxid, version }, data)),
    saveAcl: ({ acl, aversion, cluster, czxid, path }, asked) =>
      change(asked, cluster, (zk) => Edits.saveAcl(zk, { path, czxid, version: aversion }, acl)),
    remove: ({ cluster, czxid, path, subtree, version }, asked) =>
      change(asked, cluster, (zk) => Edits.remove(zk, { path, czxid, version }, subtree)),
    exportSubtree: ({ cluster, path }, asked) =>
      live(asked, cluster, ({ zk }) =>
        Stream.unwrap(
          Effect.as(archives.take, Stream.provideService(exportSubtree(zk, path), FileSystem.FileSystem, fs))
        )
      ),
    importSubtree: ({ cluster, file, isTrial, path }, asked) =>
      change(asked, cluster, (zk) =>
        archives.within(Effect.provideService(importSubtree(zk, path, file, isTrial), FileSystem.FileSystem, fs))
      ),
    copySubtree: ({ cluster, isTrial, path, to }, asked) =>
      change(asked, cluster, (zk) => archives.within(copySubtree(zk, path, to, isTrial))),

    ensemble: ({ cluster }, { client }) =>
      Stream.unwrap(
        Effect.gen(function* () {
          yield* slots.take(client)
          const { inspector } = yield* clusters.find(cluster)
          if (inspector === undefined) return Stream.fail(noInspector)
          return (yield* clusters.history(cluster)).events
        })
      ),
    ensembleConfig: ({ cluster }, asked) => live(asked, cluster, ({ config }) => config),
    doctor: ({ cluster, isAnew }, asked) =>
      once(asked, cluster, ({ examination }) =>
        examination === undefined
          ? noInspector
          : Effect.mapError(examination(isAnew), ({ message }) => new Refused({ reason: "unsupported", message }))
      ),
    fourLetterWord: ({ cluster, server, word }, asked) =>
      asking(asked, cluster, ({ inspector }) => inspector.word(server, word)),
    sessions: ({ cluster, filter, limit }, asked) =>
      asking(asked, cluster, ({ sessions }) => sessions.list(filter, atMost(limit, limits.sessions))),
    session: ({ cluster, session }, asked) => asking(asked, cluster, ({ sessions }) => sessions.detail(session)),
    watches: ({ cluster, session }, asked) => asking(asked, cluster, ({ sessions }) => sessions.watches(session)),
    recipes: ({ cluster, path }, asked) =>
      live(asked, cluster, ({ cluster, reads, zk }) =>
        cluster.inspector === undefined ? Stream.fail(noInspector) : recipeEvents(zk, reads, cluster.inspector, path)
      )
  })
}

// ---- internal

interface Asked {
  readonly client: Rpc.ServerClient
}

const noInspector = new Refused({
  reason: "unsupported",
  message: "this console was started without a way to ask the members; `zk ui` has one"
})

const atMost = (wanted: number, limit: number): number => Math.min(Math.max(0, wanted), limit)

/** How many streams and requests each page has open. */
const makeSlots = () => {
  const open = new Map<number, number>()
  return {
    /** One of the page's, until the Scope closes. */
    take: ({ id }: Rpc.ServerClient): Effect.Effect<void, Refused, Scope.Scope> =>
      Effect.acquireRelease(
        Effect.suspend(() => {
          const count = open.get(id) ?? 0
          if (count >= limits.streams) {
            return Effect.fail(
              new Refused({ reason: "tooMuch", message: `a page has ${limits.streams} streams and requests at most` })
            )
          }
          open.set(id, count + 1)
          return Effect.void
        }),
        () =>
          Effect.sync(() => {
            const count = (open.get(id) ?? 1) - 1
            if (count === 0) open.delete(id)
            else open.set(id, count)
          })
      )
  }
}

/** Exports, imports and copies of all pages: each of them reads a whole subtree, and may fill a temporary file. */
const makeArchives = () => {
  let running = 0
  const take: Effect.Effect<void, Refused, Scope.Scope> = Effect.acquireRelease(
    Effect.suspend(() => {
      if (running >= limits.archives) {
        const message = `${limits.archives} exports, imports and copies run already: wait for one to end`
        return Effect.fail(new Refused({ reason: "tooMuch", message }))
      }
      running++
      return Effect.void
    }),
    () => Effect.sync(() => running--)
  )
  return {
    take,
    within: <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | Refused> =>
      Effect.scoped(Effect.andThen(take, effect))
  }
}
