/** The tools of `zk mcp` that change nothing. */
import type { Stat } from "@effect-zookeeper/client/Models"
import type { Service } from "@effect-zookeeper/client/Service"
import { Diff, TreeSource } from "@effect-zookeeper/storage"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Struct from "effect/Struct"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as MemberStatus from "../../MemberStatus.ts"
import * as Output from "../../Output.ts"
import * as StorageOutput from "../../StorageOutput.ts"
import * as TreeWalk from "../../TreeWalk.ts"
import { decodeUtf8 } from "../../ZnodeData.ts"
import { encodeData } from "../output/data.ts"
import { contentions } from "../recipes/contention.ts"
import type { WithSession } from "./connected.ts"
import { mark, ToolFailure, Untrusted } from "./untrusted.ts"

const path = Schema.String.annotate({ description: "The absolute path of a znode, such as /app/config" })

/** For tools that change nothing, and whose answers are about this ensemble alone. */
const readOnly = Context.make(Tool.Readonly, true).pipe(
  Context.add(Tool.Destructive, false),
  Context.add(Tool.Idempotent, true),
  Context.add(Tool.OpenWorld, false)
)

const list = Tool.make("zk_list", {
  description: "List the names of the children of a znode, sorted; 1,000 at most.",
  parameters: Schema.Struct({ path }),
  success: Untrusted(Schema.Struct({ names: Schema.Array(Schema.String), total: Schema.Number })),
  failure: ToolFailure
})

const get = Tool.make("zk_get", {
  description: "Read the data of a znode with its stat. Data beyond 100,000 bytes is cut.",
  parameters: Schema.Struct({ path }),
  success: Untrusted(
    Schema.Struct({
      path: Schema.String,
      encoding: Schema.Literals(["utf8", "base64"]),
      data: Schema.String,
      isCut: Schema.Boolean,
      stat: Output.Stat
    })
  ),
  failure: ToolFailure
})

const stat = Tool.make("zk_stat", {
  description:
    "Read the stat of a znode: versions, times, zxids, owner, sizes. Changes are made by its version and its czxid.",
  parameters: Schema.Struct({ path }),
  success: Schema.Struct({ kind: Output.Kind, stat: Output.Stat }),
  failure: ToolFailure
})

const tree = Tool.make("zk_tree", {
  description:
    "List the znodes of a subtree with their kinds, versions and sizes; 500 at most. Those that may not be read are marked.",
  parameters: Schema.Struct({
    path,
    depth: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 })).annotate({ description: "How many levels" })
  }),
  success: Untrusted(
    Schema.Struct({
      znodes: Schema.Array(
        Schema.Struct({
          path: Schema.String,
          kind: Schema.optionalKey(Output.Kind),
          version: Schema.optionalKey(Schema.Number),
          bytes: Schema.optionalKey(Schema.Number),
          children: Schema.optionalKey(Schema.Number),
          isForbidden: Schema.optionalKey(Schema.Boolean)
        })
      ),
      isCut: Schema.Boolean
    })
  ),
  failure: ToolFailure
})

const find = Tool.make("zk_find", {
  description: "Find the znodes of a subtree whose name or data contains a text; 200 at most, among the first 200,000.",
  parameters: Schema.Struct({
    path,
    text: Schema.String.check(Schema.isMinLength(1)),
    in: Schema.Literals(["names", "data"])
  }),
  success: Untrusted(Schema.Struct({ paths: Schema.Array(Schema.String), isCut: Schema.Boolean })),
  failure: ToolFailure
})

const diff = Tool.make("zk_diff", {
  description:
    "Compare two subtrees of this ensemble, of 200,000 znodes at most: what only one has, and what is different; 500 differences at most.",
  parameters: Schema.Struct({ left: path, right: path }),
  success: Untrusted(Schema.Struct({ differences: Schema.Array(StorageOutput.Difference), isCut: Schema.Boolean })),
  failure: ToolFailure
})

const ensemble = Tool.make("zk_ensemble", {
  description: "Ask all members for their mode, release, zxid, lag, latency, connections and outstanding requests.",
  parameters: Tool.EmptyParams,
  success: Schema.Struct({ members: Schema.Array(MemberStatus.MemberStatus) }),
  failure: ToolFailure
})

const locks = Tool.make("zk_locks", {
  description:
    "Find the locks, elections, semaphores and leases of a subtree, with holders and waiters; 200 at most, among the first 200,000 znodes.",
  parameters: Schema.Struct({ path }),
  success: Untrusted(Schema.Struct({ contentions: Schema.Array(Output.Contention), isCut: Schema.Boolean })),
  failure: ToolFailure
})

export const toolkit = Toolkit.make(
  list.annotateMerge(readOnly),
  get.annotateMerge(readOnly),
  stat.annotateMerge(readOnly),
  tree.annotateMerge(readOnly),
  find.annotateMerge(readOnly),
  diff.annotateMerge(readOnly),
  ensemble.annotateMerge(readOnly),
  locks.annotateMerge(readOnly)
)

/** `members` asks all of them. */
export const handlers = (withSession: WithSession, members: Effect.Effect<ReadonlyArray<MemberStatus.MemberStatus>>) =>
  toolkit.of({
    zk_list: ({ path }) =>
      withSession([path], (zk) =>
        Effect.map(zk.getChildren(path), (names) =>
          mark({ names: names.toSorted().slice(0, 1_000), total: names.length })
        )
      ),
    zk_get: ({ path }) =>
      withSession([path], (zk) =>
        Effect.map(zk.get(path), ({ data, stat }) =>
          mark({ path, ...encodeData(data.subarray(0, most)), isCut: data.length > most, stat })
        )
      ),
    zk_stat: ({ path }) =>
      withSession([path], (zk) =>
        Effect.flatMap(zk.stat(path), (found) =>
          Option.isNone(found)
            ? Effect.fail(new ToolFailure({ message: "there is no such znode" }))
            : Effect.succeed({ kind: Output.kindOf(found.value.ephemeralOwner), stat: found.value })
        )
      ),
    zk_tree: ({ depth, path }) =>
      withSession([path], (zk) =>
        TreeWalk.walk(zk, path, { maxDepth: depth }).pipe(
          Stream.map(({ isForbidden, path, stat }) => ({
            path,
            ...(isForbidden ? { isForbidden } : {}),
            ...(stat === undefined ? {} : figuresOf(stat))
          })),
          atMost(500),
          Effect.map(({ isCut, items }) => mark({ znodes: items, isCut }))
        )
      ),
    zk_find: ({ in: where, path, text }) =>
      withSession([path], (zk) => {
        const walk = boundedWalk(zk, path, { multiRead: true })
        return walk.znodes.pipe(
          Stream.filterEffect((znode) =>
            where === "names" ? Effect.succeed(ZnodePath.name(znode.path).includes(text)) : holds(zk, znode, text)
          ),
          Stream.map(({ path }) => path),
          atMost(200),
          Effect.map(({ isCut, items }) => mark({ paths: items, isCut: isCut || walk.isCut() }))
        )
      }),
    zk_diff: ({ left, right }) =>
      withSession([left, right], (zk) => {
        const source = (path: string) => bounded(TreeSource.live(zk, { path }))
        return Diff.compare(source(left), source(right)).pipe(
          Stream.map((difference): typeof StorageOutput.Difference.Type =>
            difference._tag === "Changed"
              ? { difference: "changed", path: difference.path, parts: difference.parts }
              : { difference: difference._tag === "OnlyLeft" ? "onlyLeft" : "onlyRight", path: difference.path }
          ),
          atMost(500),
          Effect.map(({ isCut, items }) => mark({ differences: items, isCut }))
        )
      }),
    zk_ensemble: () =>
      Effect.map(members, (all) => ({ members: all.map((member) => Struct.omit(member, ["metrics"])) })),
    zk_locks: ({ path }) =>
      withSession([path], (zk) => {
        const walk = boundedWalk(zk, path, {})
        return contentions(zk)(walk.znodes).pipe(
          atMost(200),
          Effect.map(({ isCut, items }) => mark({ contentions: items, isCut: isCut || walk.isCut() }))
        )
      })
  })

// ---- internal

/** Bytes of data in one answer. */
const most = 100_000

/** Znodes that one tool looks at. */
const mostVisited = 200_000

/** The first znodes of a subtree, and whether there are more. */
const boundedWalk = (zk: Service, path: string, options: TreeWalk.Options) => {
  let visited = 0
  return {
    znodes: Stream.takeWhile(TreeWalk.walk(zk, path, options), () => ++visited <= mostVisited),
    isCut: () => visited > mostVisited
  }
}

/** Half of a comparison would tell false differences. */
const bounded = <E, R>(source: TreeSource.TreeSource<E, R>): TreeSource.TreeSource<E | ToolFailure, R> => {
  let visited = 0
  const message = `a subtree has more than ${mostVisited} znodes: compare parts of it, or use zk diff`
  return {
    ...source,
    entries: Stream.mapEffect(source.entries, (entry) =>
      ++visited > mostVisited ? Effect.fail(new ToolFailure({ message })) : Effect.succeed(entry)
    )
  }
}

const atMost =
  (limit: number) =>
  <A, E>(items: Stream.Stream<A, E>): Effect.Effect<{ readonly items: ReadonlyArray<A>; readonly isCut: boolean }, E> =>
    items.pipe(
      Stream.take(limit + 1),
      Stream.runCollect,
      Effect.map((found) => ({ items: found.slice(0, limit), isCut: found.length > limit }))
    )

const figuresOf = ({ dataLength, ephemeralOwner, numChildren, version }: Stat) => ({
  kind: Output.kindOf(ephemeralOwner),
  version,
  bytes: dataLength,
  children: numChildren
})

const holds = (zk: Service, { path, stat }: TreeWalk.Visited, text: string) =>
  stat === undefined || stat.dataLength === 0
    ? Effect.succeed(false)
    : zk.getData(path).pipe(
        Effect.map((data) => decodeUtf8(data)?.includes(text) === true),
        Effect.catchTags({ NoNode: () => Effect.succeed(false), NoAuth: () => Effect.succeed(false) })
      )
