/** `zk mirror`: a copy of a live tree that is kept current. */
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import { Mirror, TreeSource } from "@effect-zookeeper/storage"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import { confirm } from "../change/ask.ts"
import { UsageError } from "../frame/errors.ts"
import { printError } from "../output/printError.ts"
import { progressText } from "../output/progress.ts"
import { count, shown } from "../output/text.ts"
import { openFollowing } from "./treeRef.ts"

export interface Input {
  readonly source: string
  readonly target: string
  readonly deletes: boolean
  readonly yes: boolean
}

export const mirror = Effect.fnUntraced(function* ({ deletes, source, target, yes }: Input) {
  if (source === target) return yield* new UsageError({ message: "the source and the target are the same tree" })
  const from = yield* openFollowing("mirror", source, false)
  const to = yield* openFollowing("mirror", target, true)
  if (deletes) yield* confirm(`Delete what is in ${shown(target)} and not in ${shown(source)}?`, yes)
  const stdio = yield* Stdio.Stdio
  const isTerminal = yield* stdio.stderrIsTerminal
  const begun = yield* Clock.currentTimeMillis
  // The first copy is as large as the source. Later ones are of what has changed.
  const total = yield* TreeSource.live(from.zk, { path: from.path }).size
  let hasFollowed = false
  let latest: Mirror.Status | undefined
  const print = (text: string) => printError(stdio, text)
  const show = Effect.gen(function* () {
    const millis = (yield* Clock.currentTimeMillis) - begun
    const line =
      latest === undefined
        ? "connected"
        : hasFollowed || latest.phase === "following"
          ? statusText(latest)
          : progressText({ phase: "copying", done: latest.written, total }, latest.written, millis)
    yield* print(isTerminal ? `\r\u001b[K${line}` : `${line}\n`)
  })
  const shows = Effect.sleep(isTerminal ? "1 second" : "30 seconds").pipe(Effect.andThen(show), Effect.forever)
  const run = Mirror.run(from.zk, to.zk, {
    path: from.path,
    targetPath: to.path,
    deletes,
    onStatus: (status) => {
      latest = status
      hasFollowed ||= status.phase === "following"
    }
  })
  yield* Effect.raceFirst(run, Effect.andThen(show, shows)).pipe(
    // The prompt of the shell begins a line.
    Effect.ensuring(isTerminal ? print("\n") : Effect.void)
  )
})

// ---- internal

const statusText = ({ deleted, lag, phase, written, zxid }: Mirror.Status): string =>
  phase === "catchingUp"
    ? `catching up, ${count(written, "znode")} written`
    : `following, ${(lag / 1000).toFixed(1)} s behind, at zxid ${Hex64.format(zxid)}, ${count(written, "znode")} written, ${deleted} deleted`
