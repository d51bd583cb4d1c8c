/**
 * ZooKeeper's four-letter words with typed answers: questions to one server about itself, without a session.
 *
 * Servers answer `srvr` unless they are told otherwise, and `isro` where read-only mode is on; other words have to be in their
 * `4lw.commands.whitelist`. {@link ask} decodes the answers of ZooKeeper 3.4 to 3.9, and fails with a reason where there is
 * none. For the text as it comes use {@link askText}; {@link parse} decodes text that you have.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/client/ErrorClass"
import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { Transport } from "@effect-zookeeper/transport/Transport"
import type { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { decode } from "./internal/diagnose/decode.ts"
import { fromText } from "./internal/diagnose/wordText.ts"
import { type Answer, schemas, type Word } from "./ServerAnswers.ts"

/**
 * A server that was reached and gave no answer to the word.
 *
 * @category errors
 * @since 0.1.0
 */
export class FourLetterWordError extends ErrorClass.make(
  Schema.TaggedError<FourLetterWordError>()("FourLetterWordError", {
    /** The server as the connect string writes it. */
    server: Schema.String,
    word: Schema.String,
    /**
     * - `NotAllowed`: the word is not in the server's `4lw.commands.whitelist`.
     * - `NotServing`: the server runs, and serves no requests now, as without a quorum.
     * - `NoAnswer`: the server closed the connection: it does not know the word, or its port is for TLS alone.
     * - `Timeout`: nothing came in time.
     * - `Foreign`: it is a server of another protocol.
     * - `Unexpected`: the answer is not one that ZooKeeper gives.
     */
    reason: Schema.Literals(["NotAllowed", "NotServing", "NoAnswer", "Timeout", "Foreign", "Unexpected"]),
    /** The mistake in an unexpected answer, the protocol of another server, or the time that was waited. */
    details: Schema.String
  })
) {
  override get message(): string {
    const { details, reason, server, word } = this
    switch (reason) {
      case "NotAllowed":
        return `${server}: the word ${word} is not allowed there; add it to 4lw.commands.whitelist in zoo.cfg`
      case "NotServing":
        return `${server}: the server runs, and serves no requests now; it may have no quorum`
      case "NoAnswer":
        return `${server}: no answer to ${word}: the server does not know it, or its port is for TLS`
      case "Timeout":
        return `${server}: no answer to ${word} within ${details}: the server hangs, or its port is for TLS`
      case "Foreign":
        return `${server}: no ZooKeeper server is at this port: it speaks ${details}`
      case "Unexpected":
        return `${server}: the answer to ${word} is not one of ZooKeeper: ${details}`
    }
  }
}

/**
 * Options of {@link ask} and {@link askText}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The time for everything, from the name of the host to the end of the answer. Default 5 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** The longest answer in bytes. Default 16 MiB, which is some 200,000 watches or 80,000 connections. */
  readonly maxSize?: number | undefined
}

/**
 * Asks a server, and gives the decoded answer.
 *
 * It fails with `TransportError` when the server cannot be reached or its answer is too long, and with
 * `FourLetterWordError` when there is no answer. It connects as a session would, by TLS where the transport uses it.
 *
 * @example
 * ```ts
 * import * as FourLetterWords from "@effect-zookeeper/cli/FourLetterWords"
 * import * as Transport from "@effect-zookeeper/transport/Transport"
 * import * as Effect from "effect/Effect"
 *
 * const mode = FourLetterWords.ask({ host: "localhost", port: 2181 }, "srvr").pipe(
 *   Effect.map((answer) => answer.mode),
 *   Effect.provide(Transport.layer())
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const ask = <W extends Word>(
  server: ServerAddress,
  word: W,
  options: Options = {}
): Effect.Effect<Answer<W>, FourLetterWordError | TransportError, Transport> =>
  Effect.flatMap(askText(server, word, options), (text) =>
    Effect.fromResult(
      Result.mapError(
        parse(word, text),
        (details) => new FourLetterWordError({ server: format(server), word, reason: "Unexpected", details })
      )
    )
  )

/**
 * Asks a server, and gives the text of its answer. It takes the words that have no Schema too, such as `crst`.
 *
 * It fails as {@link ask} does, and takes any other text for an answer that is not known to be of another protocol.
 *
 * @category requests
 * @since 0.1.0
 */
export const askText = (
  server: ServerAddress,
  word: FourLetterWord.FourLetterWord,
  options: Options = {}
): Effect.Effect<string, FourLetterWordError | TransportError, Transport> => {
  const { maxSize = 16 * 1024 * 1024, timeout = "5 seconds" } = options
  const fail = (reason: FourLetterWordError["reason"], details = "") =>
    Effect.fail(new FourLetterWordError({ server: format(server), word, reason, details }))
  return Effect.gen(function* () {
    const transport = yield* Transport
    const addresses = yield* transport.resolve(server)
    const text = yield* Effect.firstSuccessOf(
      addresses.map((address) => FourLetterWord.ask(transport, address, server, word, { maxSize }))
    )
    // The alert of a TLS server is no answer.
    if (text === "" || text.startsWith("\u0015\u0003")) return yield* fail("NoAnswer")
    if (text.length < 200 && text.includes("is not executed because it is not in the whitelist")) {
      return yield* fail("NotAllowed")
    }
    if (text.startsWith("This ZooKeeper instance is not currently serving requests")) return yield* fail("NotServing")
    const other = FourLetterWord.otherProtocol(text)
    if (other !== undefined) return yield* fail("Foreign", other)
    return text
  }).pipe(
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () => fail("Timeout", Duration.format(Duration.fromInputUnsafe(timeout)))
    })
  )
}

/**
 * Decodes the text of an answer. The failure says what is wrong with it.
 *
 * @example
 * ```ts
 * import * as FourLetterWords from "@effect-zookeeper/cli/FourLetterWords"
 *
 * export const watches = FourLetterWords.parse("wchs", "1 connections watching 2 paths\nTotal watches:2\n")
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const parse = <W extends Word>(word: W, text: string): Result.Result<Answer<W>, string> =>
  decode(word, fromText[word](text))

/**
 * Whether a word has a Schema, so that {@link ask} takes it.
 *
 * @category guards
 * @since 0.1.0
 */
export const isWord = (word: string): word is Word => Object.hasOwn(schemas, word)
