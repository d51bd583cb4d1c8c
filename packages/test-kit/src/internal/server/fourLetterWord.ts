/**
 * ZooKeeper's four-letter words: one word sent, the text that comes back until the server closes.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import { ZooKeeperServerError } from "../../ZooKeeperError.ts"

/** Asks; a server that is starting may leave a word unanswered for ever, hence the time limit. */
export const fourLetterWord = (
  port: number,
  word: string,
  timeout: Duration.Input
): Effect.Effect<string, ZooKeeperServerError> => {
  const failed = (reason: string) =>
    new ZooKeeperServerError({ server: `127.0.0.1:${port}`, action: `the four-letter word ${word}`, reason })
  return Effect.callback<string, ZooKeeperServerError>((resume) => {
    const chunks: Array<Buffer> = []
    const socket = Net.connect({ host: "127.0.0.1", port })
    socket.on("connect", () => socket.write(word))
    socket.on("data", (chunk: Buffer) => chunks.push(chunk))
    socket.on("error", (error) => resume(Effect.fail(failed(error.message))))
    socket.on("close", () => resume(Effect.succeed(Buffer.concat(chunks).toString("utf8"))))
    return Effect.sync(() => socket.destroy())
  }).pipe(Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail(failed("no answer in time")) }))
}
