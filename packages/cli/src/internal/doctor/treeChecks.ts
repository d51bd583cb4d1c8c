/** Checks of the tree: znodes that are too large or too many, that no session owns, or that everybody may change. */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import type { Stat } from "@effect-zookeeper/client/Models"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import * as TreeWalk from "../../TreeWalk.ts"
import type { Reader } from "../frame/Client.ts"
import { isOpen } from "../look/openAcl.ts"
import type { Printer } from "../output/Printer.ts"
import { withCount } from "../output/progress.ts"
import { count, ofData } from "../output/text.ts"
import type { Finding } from "./examination.ts"

export interface Options {
  readonly path: string
  /** Bytes from which a znode is large. */
  readonly large: number
  /** Children from which there are many. */
  readonly many: number
  /** The most znodes that are looked at. Default: all. */
  readonly limit?: number | undefined
  /** The sessions that were alive before the walk; undefined where no server tells. */
  readonly sessions: ReadonlySet<bigint> | undefined
  /** The sessions that are alive now. */
  readonly sessionsNow: Effect.Effect<ReadonlySet<bigint> | undefined>
  /** Gets what was found so far, where the walk ends before its end. */
  readonly onPart?: ((findings: ReadonlyArray<Finding>) => void) | undefined
}

/** Walks the subtree once. Each check names the first few znodes, and counts the others. */
export const checkTree = Effect.fnUntraced(function* (
  zk: Reader,
  options: Options
): Effect.fn.Return<ReadonlyArray<Finding>, ReadError, Printer> {
  const lists = {
    large: new Examples<Known>(),
    many: new Examples<Known>(),
    sequence: new Examples<Known>(),
    open: new Examples(),
    forbidden: new Examples()
  }
  const owners = new Map<bigint, Array<string>>()
  let seen = 0
  let isWhole = false
  const total = Effect.map(zk.countDescendants(options.path), (below) => below + 1)
  const limit = options.limit ?? Number.POSITIVE_INFINITY
  let walked = 0
  const walk = TreeWalk.walk(zk, options.path, { multiRead: true, skipTooLarge: true }).pipe(
    // One more than are looked at tells that there are more.
    Stream.takeWhile(() => ++walked <= limit),
    Stream.mapEffect((znode) => Effect.map(isOpen(zk, znode.path), (open) => ({ ...znode, open })), {
      concurrency: 64
    }),
    Stream.runForEach(({ children, isForbidden, isTooLarge, open, path, stat }) =>
      Effect.sync(() => {
        seen++
        if (isForbidden) lists.forbidden.add({ path })
        if (open && path !== "/zookeeper" && !path.startsWith("/zookeeper/")) lists.open.add({ path })
        if (stat === undefined) return
        if (stat.dataLength >= options.large) lists.large.add({ path, stat })
        // The bytes of a reply that lists the children.
        const listed = children.reduce((sum, name) => sum + 4 + name.length, 0)
        const isSevere = isTooLarge || listed > nearLimit
        if (stat.numChildren >= options.many || isSevere) lists.many.add({ path, stat, isSevere })
        if (createdChildren(stat) > 2 ** 30) lists.sequence.add({ path, stat })
        const { ephemeralOwner } = stat
        if (ephemeralOwner !== 0n && options.sessions?.has(ephemeralOwner) === false) {
          owners.set(ephemeralOwner, [...(owners.get(ephemeralOwner) ?? []), path])
        }
      })
    ),
    (walk) => withCount({ phase: "znodes", done: Effect.sync(() => seen), total }, walk)
  )
  return yield* Effect.gen(function* () {
    yield* walk
    isWhole = true
    const ofSessions = yield* orphans(zk, owners, options)
    const cut = walked > limit ? [cutFinding(limit)] : []
    return [...findingsOf(lists, seen, isWhole), ...ofSessions, ...cut]
  }).pipe(Effect.onError(() => Effect.sync(() => options.onPart?.(findingsOf(lists, seen, isWhole)))))
})

// ---- internal

type Lists = Readonly<Record<"large" | "many" | "sequence", Examples<Known>> & Record<"open" | "forbidden", Examples>>

const findingsOf = (lists: Lists, seen: number, isWhole: boolean): ReadonlyArray<Finding> => [
  ...lists.large.findings(({ path, stat }) => ({
    severity: stat.dataLength > nearLimit ? "error" : "warning",
    check: "large-znodes",
    where: path,
    message: `it has ${ofData(stat.dataLength)}${stat.dataLength > nearLimit ? ", which is near the limit of 1 MiB for a request" : ""}`,
    advice: "keep large data elsewhere, and its address in ZooKeeper"
  })),
  ...lists.many.findings(({ isSevere, path, stat }) => ({
    severity: isSevere ? "error" : "warning",
    check: "many-children",
    where: path,
    message: `it has ${count(stat.numChildren, "child", "children")}${isSevere ? ", whose names are near the limit of 1 MiB for a reply" : ""}`,
    advice: "spread them over several parents: each client that lists them gets all names"
  })),
  ...lists.sequence.findings(({ path, stat }) => ({
    severity: "warning",
    check: "sequence-numbers",
    where: path,
    message: `some ${Math.round(createdChildren(stat))} children were created here; sequence numbers end at ${2 ** 31 - 1}`,
    advice: "use another parent for sequential znodes before they run out"
  })),
  ...openFinding(lists.open, seen, isWhole),
  ...lists.forbidden.summary((number, first) => ({
    severity: "note",
    check: "access",
    where: first,
    message: `${count(number, "znode")} could not be looked into, this one first`,
    advice: "give credentials with --auth-file"
  }))
]

/** Servers refuse requests and clients refuse replies above 1 MiB, unless they are told otherwise. */
const nearLimit = 900_000

/** How many children of each check are named. */
const named = 5

interface Example {
  readonly path: string
}

interface Known extends Example {
  readonly stat: Stat
  readonly isSevere?: boolean
}

/** The first few znodes of a check, and how many there are. */
class Examples<A extends Example = Example> {
  private readonly first: Array<A> = []
  private number = 0

  add(example: A): void {
    this.number++
    if (this.first.length < named) this.first.push(example)
  }

  /** One finding for each of the first, and one for the rest. */
  findings(toFinding: (example: A) => Finding): ReadonlyArray<Finding> {
    const found = this.first.map(toFinding)
    const [one] = found
    const rest = this.number - this.first.length
    return one === undefined || rest === 0
      ? found
      : [...found, { severity: one.severity, check: one.check, where: "", message: `and ${count(rest, "znode")} more` }]
  }

  /** One finding for all of them. */
  summary(toFinding: (number: number, first: string) => Finding): ReadonlyArray<Finding> {
    const [first] = this.first
    return first === undefined ? [] : [toFinding(this.number, first.path)]
  }
}

const cutFinding = (limit: number): Finding => ({
  severity: "note",
  check: "tree",
  where: "",
  message: `only the first ${count(limit, "znode")} were looked at`,
  advice: "zk doctor looks at all of them"
})

/** A version of children counts creations and deletions, so that both together give the creations. */
const createdChildren = ({ cversion, numChildren }: Stat): number => (cversion + numChildren) / 2

const openFinding = (open: Examples, seen: number, isWhole: boolean): ReadonlyArray<Finding> =>
  open.summary((number, first) => ({
    // Servers make the root so: by itself that says nothing about those who use them.
    severity: isWhole && number === 1 && first === "/" ? "note" : "warning",
    check: "open-acls",
    where: first,
    message: `everybody may change ${isWhole && number === seen ? "every znode" : `${number} of ${count(seen, "znode")}`}${number === 1 ? "" : ", this one first"}`,
    advice:
      number === 1 && first === "/"
        ? "anybody may create znodes at the top; `zk acl set /` gives it another ACL"
        : "`zk find --open` lists them; give znodes an ACL when they are created: it is not inherited"
  }))

/** Sessions that are gone while their ephemeral znodes are still there, after a second look at both. */
const orphans = Effect.fnUntraced(function* (
  zk: Reader,
  owners: ReadonlyMap<bigint, ReadonlyArray<string>>,
  options: Options
): Effect.fn.Return<ReadonlyArray<Finding>, ReadError> {
  if (options.sessions === undefined) {
    return [
      {
        severity: "note",
        check: "orphan-ephemerals",
        where: "",
        message: "no server tells its sessions, so that ephemeral znodes without one could not be found",
        advice: "add dump to 4lw.commands.whitelist in zoo.cfg"
      }
    ]
  }
  if (owners.size === 0) return []
  const now = yield* options.sessionsNow
  const found: Array<Finding> = []
  for (const [owner, paths] of owners) {
    if (now === undefined || now.has(owner)) continue
    const left = yield* Effect.filter(paths, (path) =>
      Effect.map(
        Effect.catchTag(zk.stat(path), "NoAuth", () => Effect.succeedNone),
        (stat) => isOwnedBy(stat, owner)
      )
    )
    if (left[0] === undefined) continue
    found.push({
      severity: "error",
      check: "orphan-ephemerals",
      where: left[0],
      message: `its session ${Output.formatHex(owner)} is gone${left.length === 1 ? "" : `, as is that of ${count(left.length - 1, "other znode")}`}`,
      advice: "delete them once you are sure that their owner has ended; then look for a member whose tree differs"
    })
  }
  return found
})

const isOwnedBy = (stat: Option.Option<Stat>, owner: bigint): boolean =>
  Option.isSome(stat) && stat.value.ephemeralOwner === owner
