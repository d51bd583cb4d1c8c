/**
 * ZooKeeper's AdminServer with typed answers: questions to one server about itself, by HTTP. Since ZooKeeper 3.5.
 *
 * It is another listener of the server, at port 8080 unless `admin.serverPort` says otherwise, and it is open to everybody
 * who can reach it. {@link ask} gives the answers that the four-letter words give, so that code can use one or the other;
 * {@link askJson} gives the JSON of any command.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/client/ErrorClass"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import { fromJson, parseJson } from "./internal/diagnose/adminJson.ts"
import { decode } from "./internal/diagnose/decode.ts"
import type { Answer, Word } from "./ServerAnswers.ts"

/**
 * An AdminServer that gave no answer to a command.
 *
 * @category errors
 * @since 0.1.0
 */
export class AdminServerError extends ErrorClass.make(
  Schema.TaggedError<AdminServerError>()("AdminServerError", {
    /** The address that was asked. */
    url: Schema.String,
    /**
     * - `Unreachable`: no HTTP server could be asked there.
     * - `NotServing`: the server runs, and serves no requests now, as without a quorum.
     * - `Refused`: the server has answered with an error, such as that it does not know the command.
     * - `Timeout`: the answer did not come in time.
     * - `TooLong`: the answer is longer than `maxSize`.
     * - `Unexpected`: the answer is not one that ZooKeeper gives.
     */
    reason: Schema.Literals(["Unreachable", "NotServing", "Refused", "Timeout", "TooLong", "Unexpected"]),
    details: Schema.String
  })
) {
  override get message(): string {
    return `${this.url}: ${describe[this.reason]}${this.details === "" ? "" : ` (${this.details})`}`
  }
}

/**
 * Options of {@link ask} and {@link askJson}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The time for everything. Default 5 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** The longest answer in bytes. Default 16 MiB. */
  readonly maxSize?: number | undefined
  /** The header `Authorization`, such as `digest user:password`, for commands that demand it. Since ZooKeeper 3.9. */
  readonly authorization?: Redacted.Redacted<string> | undefined
}

/**
 * Asks the AdminServer at this address, such as `http://zk1:8080`, what the four-letter word of this name asks, and gives
 * the decoded answer.
 *
 * It fails with `AdminServerError`.
 *
 * @example
 * ```ts
 * import * as AdminServer from "@effect-zookeeper/cli/AdminServer"
 * import * as Effect from "effect/Effect"
 * import * as FetchHttpClient from "effect/http/FetchHttpClient"
 *
 * const watches = AdminServer.ask("http://localhost:8080", "wchs").pipe(
 *   Effect.map((answer) => answer.watches),
 *   Effect.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const ask = <W extends Word>(
  address: string,
  word: W,
  options: Options = {}
): Effect.Effect<Answer<W>, AdminServerError, HttpClient.HttpClient> =>
  Effect.flatMap(askJson(address, word, options), (json) =>
    Effect.fromResult(
      Result.mapError(
        decode(word, fromJson[word](json)),
        (details) => new AdminServerError({ url: urlOf(address, word), reason: "Unexpected", details })
      )
    )
  )

/**
 * Runs a command that only reads, such as `leader`, `last_snapshot` or `zabstate`, and gives the fields of its answer.
 * Integers that a number of JavaScript cannot hold, such as session ids, are decimal text.
 *
 * It fails with `AdminServerError`.
 *
 * @category requests
 * @since 0.1.0
 */
export const askJson = (
  address: string,
  command: string,
  options: Options = {}
): Effect.Effect<Readonly<Record<string, unknown>>, AdminServerError, HttpClient.HttpClient> => {
  const { authorization, maxSize = 16 * 1024 * 1024, timeout = "5 seconds" } = options
  const url = urlOf(address, command)
  const fail = (reason: AdminServerError["reason"], details = "") =>
    Effect.fail(new AdminServerError({ url, reason, details }))
  return Effect.gen(function* () {
    const headers = authorization === undefined ? {} : { authorization: Redacted.value(authorization) }
    const response = yield* Effect.catch(HttpClient.get(url, { headers }), (error) =>
      fail("Unreachable", error.message)
    )
    const text = yield* Effect.catch(readText(response.stream, maxSize), (error) => fail("Unreachable", error.message))
    if (text === undefined) return yield* fail("TooLong", `more than ${maxSize} bytes`)
    const json = parseJson(text)
    if (json === undefined) return yield* fail("Unexpected", `HTTP status ${response.status}, and no JSON object`)
    const { error } = json
    if (typeof error === "string") {
      return yield* error.includes("not currently serving requests") ? fail("NotServing") : fail("Refused", error)
    }
    if (response.status >= 400) return yield* fail("Refused", `HTTP status ${response.status}`)
    return json
  }).pipe(
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () => fail("Timeout", Duration.format(Duration.fromInputUnsafe(timeout)))
    })
  )
}

// ---- internal

const describe = {
  Unreachable: "no AdminServer could be asked",
  NotServing: "the server runs, and serves no requests now; it may have no quorum",
  Refused: "the server refuses the command",
  Timeout: "no answer in time",
  TooLong: "the answer is too long",
  Unexpected: "the answer is not one of ZooKeeper"
} as const

const urlOf = (address: string, command: string): string =>
  `${address.replace(/\/+$/, "")}/commands/${encodeURIComponent(command)}`

/** The text of a body; undefined if it is longer than `maxSize`. */
const readText = <E>(body: Stream.Stream<Uint8Array, E>, maxSize: number): Effect.Effect<string | undefined, E> =>
  Effect.suspend(() => {
    const decoder = new TextDecoder()
    let text = ""
    let size = 0
    return body.pipe(
      Stream.takeWhile((chunk) => (size += chunk.length) <= maxSize),
      Stream.runForEach((chunk) => Effect.sync(() => void (text += decoder.decode(chunk, { stream: true })))),
      Effect.map(() => (size > maxSize ? undefined : text + decoder.decode()))
    )
  })
