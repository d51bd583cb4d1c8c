/** `zk mirror`: a copy of a live tree that is kept current. */
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as Acl from "@effect-zookeeper/client/Acl"
import { Mirror, TreeSource } from "@effect-zookeeper/storage"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as StorageOutput from "../../StorageOutput.ts"
import { confirm } from "../change/ask.ts"
import { printAll, Printer } from "../output/Printer.ts"
import { printError } from "../output/printError.ts"
import { progressText } from "../output/progress.ts"
import { count, shown } from "../output/text.ts"
import { type Files, ownersIn } from "./owners.ts"
import { reasons } from "./restore.ts"
import { openFollowing, refuseOverlap } from "./treeRef.ts"

export interface Input extends Files {
  readonly source: string
  readonly target: string
  readonly deletes: boolean
  readonly kinds: "keep" | "persistent"
  readonly openAcls: boolean
  readonly noCounters: boolean
  readonly maxRaise: number | undefined
  readonly yes: boolean
}

export const mirror = Effect.fnUntraced(function* ({ deletes, source, target, yes, ...input }: Input) {
  yield* refuseOverlap(source, target)
  const from = yield* openFollowing("mirror", source, false)
  const to = yield* openFollowing("mirror", target, true)
  if (deletes) yield* confirm(`Delete what is in ${shown(target)} and not in ${shown(source)}?`, yes)
  const owners = yield* ownersIn(input, from.zk.chroot)
  let latest: Mirror.Status | undefined
  const run = Mirror.run(from.zk, to.zk, {
    path: from.path,
    targetPath: to.path,
    deletes,
    owners,
    kinds: input.kinds,
    counters: !input.noCounters,
    maxRaise: input.maxRaise,
    ...(input.openAcls ? { acl: () => Acl.open } : {}),
    onStatus: (status) => {
      latest = status
    }
  })
  const { mode, note } = yield* Printer
  const stdio = yield* Stdio.Stdio
  if (mode !== "text") {
    const items = Stream.map(
      newsOf(() => latest, isSame),
      itemOf
    )
    return yield* Effect.raceFirst(
      run,
      printAll(StorageOutput.MirrorStatus, items, () => "", { isLive: true })
    )
  }
  const named = new Set<string>()
  const nameNotRaised = (write: (text: string) => Effect.Effect<void>) =>
    Effect.gen(function* () {
      for (const { from, path, reason, to } of latest?.notRaised ?? []) {
        if (named.has(`${path} ${reason}`)) continue
        named.add(`${path} ${reason}`)
        yield* write(`not raised: ${shown(path)}  (${reasons[reason]}, ${from} → ${to})`)
      }
    }).pipe(Effect.andThen(Effect.sleep("1 second")), Effect.forever)
  if (!(yield* stdio.stderrIsTerminal)) {
    const phases = newsOf(() => latest, isSamePhase, Number.POSITIVE_INFINITY)
    return yield* Effect.raceAllFirst([
      run,
      Stream.runForEach(phases, (status) => note(statusText(status))),
      nameNotRaised(note)
    ])
  }
  const begun = yield* Clock.currentTimeMillis
  // The first copy is as large as the source. Later ones are of what has changed.
  const total = yield* TreeSource.live(from.zk, { path: from.path }).size
  let hasFollowed = false
  const print = (text: string) => printError(stdio, text)
  const show = Effect.gen(function* () {
    const millis = (yield* Clock.currentTimeMillis) - begun
    hasFollowed ||= latest?.phase === "following"
    const line =
      latest === undefined
        ? "connected"
        : hasFollowed
          ? statusText(latest)
          : progressText({ phase: "copying", done: latest.written, total }, latest.written, millis)
    yield* print(`\r\u001b[K${line}`)
  })
  const shows = Effect.sleep("1 second").pipe(Effect.andThen(show), Effect.forever)
  const names = nameNotRaised((text) => print(`\r\u001b[K${text}\n`))
  yield* Effect.raceAllFirst([run, Effect.andThen(show, shows), names]).pipe(
    // The prompt of the shell begins a line.
    Effect.ensuring(print("\n"))
  )
})

/**
 * The latest status, at most once a second: each that is not the same as the one before, and in any case one of each
 * `longest` seconds.
 */
export const newsOf = (
  latest: () => Mirror.Status | undefined,
  isSame: (one: Mirror.Status, other: Mirror.Status) => boolean,
  longest = 30
): Stream.Stream<Mirror.Status> => {
  let told: Mirror.Status | undefined
  let seconds = 0
  const isNews = (status: Mirror.Status | undefined): status is Mirror.Status => {
    seconds++
    if (status === undefined || (told !== undefined && seconds < longest && isSame(told, status))) return false
    told = status
    seconds = 0
    return true
  }
  return Stream.fromEffectSchedule(Effect.sync(latest), Schedule.spaced("1 second")).pipe(Stream.filter(isNews))
}

export const isSamePhase = (one: Mirror.Status, other: Mirror.Status): boolean => one.phase === other.phase

/** The lag grows by itself. */
export const isSame = (one: Mirror.Status, other: Mirror.Status): boolean =>
  isSamePhase(one, other) &&
  one.zxid === other.zxid &&
  one.written === other.written &&
  one.deleted === other.deleted &&
  one.notRaised === other.notRaised

// ---- internal

const itemOf = (status: Mirror.Status): typeof StorageOutput.MirrorStatus.Type => ({
  ...status,
  notRaised: status.notRaised.map(({ from, path, reason, to }) => ({ path, reason: reasons[reason], from, to }))
})

const statusText = ({ deleted, lag, notRaised, phase, written, zxid }: Mirror.Status): string => {
  const left = notRaised.length === 0 ? "" : `, ${count(notRaised.length, "sequence number")} not raised`
  return phase === "catchingUp"
    ? `catching up, ${count(written, "znode")} written${left}`
    : `following, ${(lag / 1000).toFixed(1)} s behind, at zxid ${Hex64.format(zxid)}, ${count(written, "znode")} written, ${deleted} deleted${left}`
}
