/** `zk 4lw`: a four-letter word, asked of each server. */
import type { FourLetterWord } from "@effect-zookeeper/transport/FourLetterWord"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Diagnosis from "../../Diagnosis.ts"
import * as FourLetterWords from "../../FourLetterWords.ts"
import { Client } from "../frame/Client.ts"
import { ReadOnlyMode } from "../frame/errors.ts"
import { Printer, printAll } from "../output/Printer.ts"
import { escapeText } from "../output/text.ts"
import { encode } from "./decode.ts"
import { countAnswers, members, timesOf, transportOf } from "./network.ts"
import { failOf } from "./unanswered.ts"

export interface Input {
  readonly word: FourLetterWord
  readonly discover: boolean
  readonly within: string
}

/**
 * Where no server answers, the first error is that of the command, and the others are named before. Where some do, all errors are
 * named, and it fails for that.
 */
export const words = Effect.fnUntraced(function* (input: Input) {
  const { word } = input
  const { settings } = yield* Client
  if (resetting.has(word) && settings.readOnly !== undefined) {
    return yield* new ReadOnlyMode({ command: `4lw ${word}`, source: settings.readOnly })
  }
  const { inTime, within } = yield* timesOf(input.within)
  const servers = yield* inTime(members(input.discover))
  const timeout = yield* within
  const transport = yield* transportOf(settings)
  const { mode } = yield* Printer
  const ask = mode === "text" || !FourLetterWords.isWord(word) ? asText(word) : asJson(word)
  const { counted, showing } = countAnswers(servers.length)
  const answers = yield* Effect.forEach(
    servers,
    (server) =>
      Effect.map(Effect.result(counted(ask(server, { timeout }))), (answer) => ({ server: format(server), answer })),
    { concurrency: "unbounded" }
  ).pipe(showing, Effect.provideService(Transport, transport))
  const items = answers.flatMap(({ answer, server }) => {
    if (Result.isSuccess(answer)) return [{ server, word, ...answer.success }]
    return mode === "text" ? [] : [{ server, word, problem: answer.failure.message }]
  })
  yield* printAll(Diagnosis.WordAnswer, Stream.fromIterable(items), ({ server, text = "" }, style) => {
    const lines = escapeText(text.endsWith("\n") ? text : `${text}\n`)
    return servers.length === 1 ? lines : `${style.bold(`${server}:`)}\n${lines}`
  })
  const failures = answers.flatMap(({ answer }) => (Result.isFailure(answer) ? [answer.failure] : []))
  yield* failOf(failures, answers.length, word)
})

// ---- internal

/** Words that change the statistics of a server. */
const resetting: ReadonlySet<string> = new Set(["crst", "srst"])

type Ask = (
  server: Parameters<typeof FourLetterWords.askText>[0],
  options: FourLetterWords.Options
) => Effect.Effect<
  Pick<typeof Diagnosis.WordAnswer.Type, "answer" | "text">,
  Effect.Error<ReturnType<typeof FourLetterWords.askText>>,
  Transport
>

const asText =
  (word: FourLetterWord): Ask =>
  (server, options) =>
    Effect.map(FourLetterWords.askText(server, word, options), (text) => ({ text }))

const asJson =
  (word: Parameters<typeof FourLetterWords.parse>[0]): Ask =>
  (server, options) =>
    Effect.map(FourLetterWords.ask(server, word, options), (answer) => ({ answer: encode(word, answer) }))
