/**
 * ZooKeeper's four-letter words: a question and its answer on a separate connection, without a session.
 *
 * Servers answer `srvr` by default since 3.5.3, and `isro` where read-only mode is on; other words must be allowed by
 * the server's `4lw.commands.whitelist`. A server that refuses a word says so in its answer; a server that does not know
 * it closes the connection without an answer.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ServerAddress } from "./ServerAddress.ts"
import { format } from "./ServerAddress.ts"
import type { Transport } from "./Transport.ts"
import { TransportError } from "./TransportError.ts"

/**
 * The words that take no argument, such as `srvr` (a summary), `ruok` (is it alive) and `mntr` (metrics).
 *
 * @category models
 * @since 0.1.0
 */
export type FourLetterWord =
  | "conf"
  | "cons"
  | "crst"
  | "dirs"
  | "dump"
  | "envi"
  | "gtmk"
  | "hash"
  | "isro"
  | "mntr"
  | "ruok"
  | "srst"
  | "srvr"
  | "stat"
  | "wchc"
  | "wchp"
  | "wchs"

/**
 * The longest answer that `ask` accepts by default: 1 MiB, in bytes.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxAnswerSize = 1024 * 1024

/**
 * Options of `ask`.
 *
 * @category options
 * @since 0.1.0
 */
export interface AskOptions {
  /**
   * The longest answer in bytes. Default: `maxAnswerSize`. `cons`, `dump`, `wchc` and `wchp` grow with connections, sessions
   * and watches: they may need more.
   */
  readonly maxSize?: number | undefined
}

/**
 * Connects to a server as a session would (with TLS, if the transport uses it), sends the word, and gives everything that
 * the server sends until it closes the connection.
 *
 * Use it for health checks and tools. It fails with `TransportError` when the server cannot be reached, or when the answer
 * is longer than the option `maxSize`.
 *
 * **Gotchas**
 *
 * A server that is starting may neither answer nor close: always set a timeout. The answer is empty when the server
 * closed the connection without one.
 *
 * @example
 * ```ts
 * import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
 * import * as Transport from "@effect-zookeeper/transport/Transport"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const transport = yield* Transport.Transport
 *   const server = { host: "127.0.0.1", port: 2181 }
 *   return yield* FourLetterWord.ask(transport, server, server, "srvr").pipe(Effect.timeout("5 seconds"))
 * })
 *
 * const answer = Effect.provide(program, Transport.layer())
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const ask = (
  transport: Transport["Service"],
  address: ServerAddress,
  name: ServerAddress,
  word: FourLetterWord,
  options: AskOptions = {}
): Effect.Effect<string, TransportError> =>
  Effect.scoped(askInScope(transport, address, name, word, options.maxSize ?? maxAnswerSize))

/**
 * The name of another protocol, such as `HTTP`, by the beginning of a server's answer; undefined for an answer of ZooKeeper.
 *
 * @example
 * ```ts
 * import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
 *
 * FourLetterWord.otherProtocol("HTTP/1.1 400 Bad Request") // "HTTP"
 * FourLetterWord.otherProtocol("imok") // undefined
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const otherProtocol = (text: string): string | undefined =>
  otherProtocols.find(([start]) => start.test(text))?.[1]

// ---- internal

const otherProtocols: ReadonlyArray<readonly [RegExp, string]> = [
  [/^HTTP/, "HTTP"],
  [/^SSH-/, "SSH"],
  [/^AMQP/, "AMQP"],
  [/^[-+][A-Z]/, "the protocol of Redis"],
  // `wchs` may begin with such a number, too.
  [/^220(-| (?!connections watching ))/, "SMTP or FTP"]
]

const askInScope = Effect.fnUntraced(function* (
  transport: Transport["Service"],
  address: ServerAddress,
  name: ServerAddress,
  word: FourLetterWord,
  maxSize: number
) {
  const connection = yield* transport.connect(address, name)
  yield* connection.write(new TextEncoder().encode(word))
  const decoder = new TextDecoder()
  let answer = ""
  let size = 0
  while (true) {
    const chunks = yield* Effect.catchIf(
      connection.pull,
      (error) => error.reason === "Closed",
      () => Effect.succeed(undefined)
    )
    if (chunks === undefined) return answer + decoder.decode()
    for (const chunk of chunks) {
      size += chunk.length
      if (size > maxSize) {
        const cause = new Error(`the answer to ${word} is longer than ${maxSize} bytes`)
        return yield* new TransportError({ server: format(name), reason: "Read", cause })
      }
      answer += decoder.decode(chunk, { stream: true })
    }
  }
})
