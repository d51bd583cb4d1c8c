/** `zk find`: the znodes of a subtree that meet all conditions. */
import type { Stat } from "@effect-zookeeper/client/Models"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Glob from "effect/Glob"
import * as Stream from "effect/Stream"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Output from "../../Output.ts"
import type * as TreeWalk from "../../TreeWalk.ts"
import { decodeUtf8 } from "../../ZnodeData.ts"
import type { Reader } from "../frame/Client.ts"
import { parseDuration, parseSize } from "../frame/durations.ts"
import { UsageError } from "../frame/errors.ts"
import { printAll } from "../output/Printer.ts"
import { colored, longLine, longTitles } from "../output/text.ts"
import { toItem } from "./item.ts"
import { isOpen } from "./openAcl.ts"
import { walking } from "./walking.ts"

export interface Input {
  readonly path: string
  readonly name: string | undefined
  readonly kind: typeof Output.Kind.Type | undefined
  readonly owner: string | undefined
  readonly larger: string | undefined
  readonly smaller: string | undefined
  readonly older: string | undefined
  readonly newer: string | undefined
  readonly contains: string | undefined
  readonly matches: string | undefined
  /** Whether only znodes are wanted that everybody may change. */
  readonly open: boolean
  readonly maxDepth: number | undefined
  readonly long: boolean
}

export const find = Effect.fnUntraced(function* (input: Input) {
  const conditions = yield* conditionsOf(input)
  const content = yield* contentOf(input)
  yield* walking(
    input.path,
    { maxDepth: input.maxDepth, needsData: content !== undefined || input.open },
    (znodes, zk) => {
      const found = znodes.pipe(
        Stream.filter((znode) => conditions.every((holds) => holds(znode))),
        input.open ? filterOpen(zk) : (all) => all,
        content === undefined ? (all) => all : filterByContent(zk, content),
        Stream.map(toItem)
      )
      return printAll(
        Output.Znode,
        found,
        ({ path, stat }, style) =>
          input.long
            ? longLine(path, stat, style)
            : `${colored(path, stat, style)}
`,
        { titles: input.long ? longTitles("PATH") : "" }
      )
    }
  )
})

/** `0x100000002`, or the same number in decimal. */
export const parseOwner = (text: string, option = "--owner"): Effect.Effect<bigint, UsageError> =>
  /^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(text)
    ? Effect.succeed(BigInt.asIntN(64, BigInt(text.toLowerCase())))
    : Effect.fail(
        new UsageError({ message: `${option} ${JSON.stringify(text)} is no session id; write it as in 0x100000002` })
      )

// ---- internal

type Condition = (znode: TreeWalk.Visited) => boolean

/** It does not hold where the ACL keeps the stat back; the command says then that not all was read. */
const ofStat =
  (holds: (stat: Stat) => boolean): Condition =>
  ({ stat }) =>
    stat !== undefined && holds(stat)

const conditionsOf = Effect.fnUntraced(function* (input: Input) {
  const conditions: Array<Condition> = []
  if (input.name !== undefined) {
    const glob = Glob.make(input.name, { dot: true })
    conditions.push(({ path }) => Glob.match(glob, ZnodePath.name(path)))
  }
  if (input.kind !== undefined) {
    conditions.push(ofStat((stat) => Output.kindOf(stat.ephemeralOwner) === input.kind))
  }
  if (input.owner !== undefined) {
    const owner = yield* parseOwner(input.owner)
    conditions.push(ofStat((stat) => stat.ephemeralOwner === owner))
  }
  if (input.larger !== undefined) {
    const bytes = yield* parseSize("--larger", input.larger)
    conditions.push(ofStat((stat) => stat.dataLength > bytes))
  }
  if (input.smaller !== undefined) {
    const bytes = yield* parseSize("--smaller", input.smaller)
    conditions.push(ofStat((stat) => stat.dataLength < bytes))
  }
  const now = yield* Clock.currentTimeMillis
  if (input.older !== undefined) {
    const since = now - Duration.toMillis(yield* parseDuration("--older", input.older))
    conditions.push(ofStat((stat) => stat.mtime < since))
  }
  if (input.newer !== undefined) {
    const since = now - Duration.toMillis(yield* parseDuration("--newer", input.newer))
    conditions.push(ofStat((stat) => stat.mtime > since))
  }
  return conditions
})

type Content = (text: string) => boolean

const contentOf = ({ contains, matches }: Input): Effect.Effect<Content | undefined, UsageError> => {
  if (contains === undefined && matches === undefined) return Effect.succeed(undefined)
  return Effect.try({
    try: () => {
      const pattern = matches === undefined ? undefined : new RegExp(matches, "u")
      return (text: string) =>
        (contains === undefined || text.includes(contains)) && (pattern === undefined || pattern.test(text))
    },
    catch: (error) =>
      new UsageError({
        message: `--matches ${JSON.stringify(matches)} is no regular expression: ${error instanceof Error ? error.message : ""}`
      })
  })
}

/** Reads the ACLs of the znodes that are left. */
const filterOpen =
  (zk: Reader) =>
  <E>(znodes: Stream.Stream<TreeWalk.Visited, E>) =>
    znodes.pipe(
      Stream.mapEffect((znode) => Effect.map(isOpen(zk, znode.path), (open) => (open ? [znode] : [])), {
        concurrency: 64
      }),
      Stream.flattenIterable
    )

/** Reads the data of the znodes that are left. One that is gone, or may not be read, is left out. */
const filterByContent =
  (zk: Reader, content: Content) =>
  <E>(znodes: Stream.Stream<TreeWalk.Visited, E>) =>
    znodes.pipe(
      Stream.filter(({ stat }) => stat !== undefined && stat.dataLength > 0),
      Stream.mapEffect(
        (znode) =>
          zk.getData(znode.path).pipe(
            Effect.map((data) => {
              const text = decodeUtf8(data)
              return text !== undefined && content(text) ? [znode] : []
            }),
            Effect.catchTags({ NoNode: () => Effect.succeed([]), NoAuth: () => Effect.succeed([]) })
          ),
        { concurrency: 64 }
      ),
      Stream.flattenIterable
    )
