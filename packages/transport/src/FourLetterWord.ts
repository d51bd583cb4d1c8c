/**
 * ZooKeeper's four-letter words: a question and its answer on a connection of its own, before any session.
 *
 * Servers answer `srvr` by default since 3.5.3, and `isro` where read-only mode is on; other words must be allowed by
 * the server's `4lw.commands.whitelist`. A server that refuses a word says so in its answer, and one that does not know
 * it closes the connection without any.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ServerAddress } from "./ServerAddress.ts"
import { format } from "./ServerAddress.ts"
import type { Transport } from "./Transport.ts"
import { TransportError } from "./TransportError.ts"

/**
 * The words that take no argument.
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
 * The longest answer that `ask` takes, in bytes.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxAnswerSize = 1024 * 1024

/**
 * Dials a server as its sessions would (TLS included), sends the word, and gives all that comes until the server closes.
 *
 * **Gotchas**
 *
 * A server that is starting may never answer nor close: always bring a timeout. The answer is empty when the server
 * closed without one.
 *
 * @category requests
 * @since 0.1.0
 */
export const ask = (
  transport: Transport["Service"],
  address: ServerAddress,
  name: ServerAddress,
  word: FourLetterWord
): Effect.Effect<string, TransportError> => Effect.scoped(askInScope(transport, address, name, word))

const askInScope = Effect.fnUntraced(function* (
  transport: Transport["Service"],
  address: ServerAddress,
  name: ServerAddress,
  word: FourLetterWord
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
      if (size > maxAnswerSize) {
        const cause = new Error(`the answer to ${word} is longer than ${maxAnswerSize} bytes`)
        return yield* new TransportError({ server: format(name), reason: "Read", cause })
      }
      answer += decoder.decode(chunk, { stream: true })
    }
  }
})
