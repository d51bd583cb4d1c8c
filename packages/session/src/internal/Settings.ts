import * as DurationInput from "@effect-zookeeper/protocol/DurationInput"
import * as Frame from "@effect-zookeeper/protocol/Frame"
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as ConnectString from "@effect-zookeeper/transport/ConnectString"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type { SaslMechanism } from "../SaslMechanism.ts"
import type { AuthInfo, SessionCredentials, SessionOptions } from "../SessionOptions.ts"

/** The options of a session, checked and with their defaults; times in milliseconds. */
export interface Settings {
  readonly servers: ConnectString.ConnectString
  readonly sessionTimeout: number
  /** Infinity for no limit. */
  readonly connectTimeout: number
  readonly firstConnection: "wait" | "background"
  readonly requestTimeout: number | undefined
  readonly allowReadOnly: boolean
  readonly auth: ReadonlyArray<AuthInfo>
  readonly sasl: SaslMechanism | undefined
  /** Made when it is needed: most sessions never wait between two servers. */
  readonly retry: () => Schedule.Schedule<unknown>
  readonly sessionExpiry: "recreate" | "fail"
  readonly ensembleReset: "wait" | "accept"
  readonly maxFrameSize: number
  readonly maxRequestSize: number
  readonly maxInFlight: number
  readonly session: SessionCredentials | undefined
  readonly allowPlaintext: boolean
  readonly ownershipMargin: (timeout: number) => number
  /** The margin of the options, in milliseconds, if it is more than half of this timeout and not used therefore. */
  readonly refusedMargin: (timeout: number) => number | undefined
  readonly ownershipProof: "quorum" | "server"
  readonly closeTimeout: number
}

/** The largest part of a session timeout that may be margin: proofs take a quarter, and need time to arrive. */
const LARGEST_MARGIN = 1 / 2

const MAX_INT = 2_147_483_647

/**
 * No pause may cost a session: an ensemble that is back in time has to be found in time. Each pause is a random part of the
 * schedule's, from nothing to all of it, so that clients that have lost their servers at the same moment spread.
 */
const defaultRetry = (sessionTimeout: number): Schedule.Schedule<unknown> =>
  Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced(Math.min(5000, sessionTimeout / 4))]).pipe(
    Schedule.modifyDelay(({ duration }) => Effect.map(Random.next, (random) => Duration.times(duration, random)))
  )

/** Checks the options of a session. Nothing has been sent yet when one of them is wrong. */
export const checkOptions = Effect.fnUntraced(function* (
  options: SessionOptions,
  defaultServers: string | undefined
): Effect.fn.Return<Settings, InvalidArgument> {
  const servers = options.servers ?? defaultServers
  if (servers === undefined) {
    return yield* new InvalidArgument({
      argument: "servers",
      value: "",
      rule: "name at least one server, as in zk1:2181,zk2:2181; this transport has no default"
    })
  }
  const sessionTimeout = yield* checkDuration("sessionTimeout", orDefault(options.sessionTimeout, 10_000))
  const margin = options.ownershipMargin
  const ownershipMargin = margin === undefined ? undefined : yield* checkDuration("ownershipMargin", margin, 0)
  if (ownershipMargin !== undefined && ownershipMargin >= sessionTimeout) {
    return yield* new InvalidArgument({
      argument: "ownershipMargin",
      value: Duration.format(Duration.millis(ownershipMargin)),
      rule: `must be less than sessionTimeout (${sessionTimeout} ms), or nothing could ever be owned; a tenth of it is the default`
    })
  }
  if (options.ownershipProof !== undefined && !["quorum", "server"].includes(options.ownershipProof)) {
    return yield* new InvalidArgument({
      argument: "ownershipProof",
      value: String(options.ownershipProof),
      rule: `must be "quorum" or "server"`
    })
  }
  if (options.firstConnection !== undefined && !["wait", "background"].includes(options.firstConnection)) {
    return yield* new InvalidArgument({
      argument: "firstConnection",
      value: String(options.firstConnection),
      rule: `must be "wait" or "background"`
    })
  }
  const isTooLarge = (timeout: number) => (ownershipMargin ?? 0) > timeout * LARGEST_MARGIN
  if (options.sessionExpiry !== undefined && !["recreate", "fail"].includes(options.sessionExpiry)) {
    return yield* new InvalidArgument({
      argument: "sessionExpiry",
      value: String(options.sessionExpiry),
      rule: `must be "recreate" or "fail"`
    })
  }
  const { ensembleReset = "wait" } = options
  if (ensembleReset !== "wait" && ensembleReset !== "accept") {
    return yield* new InvalidArgument({
      argument: "ensembleReset",
      value: String(ensembleReset),
      rule: `must be "wait" or "accept"`
    })
  }
  const maxRequestSize = yield* checkInteger(
    "maxRequestSize",
    orDefault(options.maxRequestSize, Frame.MAX_REQUEST),
    1024
  )
  for (const name of ["allowReadOnly", "allowPlaintext"] as const) {
    const value: unknown = options[name]
    if (value !== undefined && typeof value !== "boolean") {
      return yield* new InvalidArgument({ argument: name, value: String(value), rule: "must be true or false" })
    }
  }
  if (options.auth !== undefined && !Array.isArray(options.auth)) {
    return yield* new InvalidArgument({
      argument: "auth",
      value: "<hidden>",
      rule: `must be a list of identities, as in [{ scheme: "digest", credentials: Redacted.make("user:password") }]`
    })
  }
  for (const [index, auth] of (options.auth ?? []).entries()) yield* checkAuth(auth, `auth[${index}].`, maxRequestSize)
  if (options.sasl !== undefined && typeof options.sasl.begin !== "function") {
    return yield* new InvalidArgument({
      argument: "sasl",
      value: typeof options.sasl,
      rule: "must be a SaslMechanism, such as Sasl.digestMd5({ username, password })"
    })
  }
  if (options.retry !== undefined && !Schedule.isSchedule(options.retry)) {
    return yield* new InvalidArgument({ argument: "retry", value: typeof options.retry, rule: "must be a Schedule" })
  }
  return {
    servers: yield* Effect.fromResult(ConnectString.parse(servers)),
    sessionTimeout,
    connectTimeout: yield* checkTimeout("connectTimeout", orDefault(options.connectTimeout, 15_000)),
    firstConnection: options.firstConnection ?? "wait",
    requestTimeout:
      options.requestTimeout === undefined ? undefined : yield* checkDuration("requestTimeout", options.requestTimeout),
    allowReadOnly: options.allowReadOnly ?? false,
    auth: options.auth ?? [],
    sasl: options.sasl,
    retry: () => options.retry ?? defaultRetry(sessionTimeout),
    sessionExpiry: options.sessionExpiry ?? "recreate",
    ensembleReset,
    maxFrameSize: yield* checkInteger("maxFrameSize", orDefault(options.maxFrameSize, 4 * 1024 * 1024), 1024),
    maxRequestSize,
    maxInFlight: yield* checkInteger("maxInFlight", orDefault(options.maxInFlight, 1000), 1),
    session: yield* checkCredentials(options.session),
    // Only `true` gives up protection.
    allowPlaintext: options.allowPlaintext === true,
    ownershipMargin: (timeout) => (isTooLarge(timeout) ? timeout * LARGEST_MARGIN : (ownershipMargin ?? timeout / 10)),
    refusedMargin: (timeout) => (isTooLarge(timeout) ? ownershipMargin : undefined),
    ownershipProof: options.ownershipProof ?? "quorum",
    closeTimeout: yield* checkDuration("closeTimeout", orDefault(options.closeTimeout, 2000))
  }
})

/** The header of the request, its type, and the two lengths. */
const AUTH_OVERHEAD = 8 + 4 + 2 * 4

/**
 * Checks what can be known without a server: the scheme is a name, the credentials are `Redacted`, and small enough for one
 * frame. `prefix` is put before the names of the arguments.
 */
export const checkAuth = (
  auth: AuthInfo,
  prefix: string,
  maxRequestSize: number
): Effect.Effect<void, InvalidArgument> => {
  const broken = (argument: string, value: string, rule: string) =>
    Effect.fail(new InvalidArgument({ argument: `${prefix}${argument}`, value, rule }))
  const { credentials, scheme } = auth
  if (typeof scheme !== "string" || scheme === "") {
    return broken("scheme", String(scheme), `must be the name of a scheme, such as "digest"`)
  }
  if (!Redacted.isRedacted(credentials) || typeof Redacted.value(credentials) !== "string") {
    // The value may be the secret itself.
    return broken("credentials", "<hidden>", "must be a Redacted string: Redacted.make(...)")
  }
  const { length } = Redacted.value(credentials)
  // Of three bytes a character at most; the scheme's share is counted in.
  return (length + scheme.length) * 3 + AUTH_OVERHEAD <= maxRequestSize
    ? Effect.void
    : broken(
        "credentials",
        `<redacted, ${length} characters>`,
        `must fit into one request of maxRequestSize (${maxRequestSize} bytes), three bytes counted for a character`
      )
}

/** The default is for undefined only: null is an invalid value. */
const orDefault = <A>(given: A | undefined, otherwise: A): A => (given === undefined ? otherwise : given)

const checkDuration = (
  argument: string,
  input: Duration.Input,
  minimum = 1
): Effect.Effect<number, InvalidArgument> => {
  const millis = DurationInput.toMillis(input)
  return millis !== undefined && millis >= minimum && millis <= MAX_INT
    ? Effect.succeed(millis)
    : Effect.fail(
        new InvalidArgument({
          argument,
          value: DurationInput.format(input),
          rule: `must be a duration of ${minimum} to ${MAX_INT} milliseconds, such as "10 seconds"`
        })
      )
}

/** A duration, or no limit. */
const checkTimeout = (argument: string, input: Duration.Input | "infinity"): Effect.Effect<number, InvalidArgument> => {
  const isEndless = input === "infinity" || DurationInput.toMillis(input) === Number.POSITIVE_INFINITY
  return isEndless ? Effect.succeed(Number.POSITIVE_INFINITY) : checkDuration(argument, input)
}

const checkInteger = (argument: string, value: number, minimum: number): Effect.Effect<number, InvalidArgument> =>
  Number.isInteger(value) && value >= minimum && value <= MAX_INT
    ? Effect.succeed(value)
    : Effect.fail(
        new InvalidArgument({ argument, value: String(value), rule: `must be an integer of ${minimum} to ${MAX_INT}` })
      )

const checkCredentials = (
  session: SessionCredentials | undefined
): Effect.Effect<SessionCredentials | undefined, InvalidArgument> => {
  if (session === undefined) return Effect.succeed(undefined)
  if (typeof session.id !== "bigint" || session.id === 0n || BigInt.asIntN(64, session.id) !== session.id) {
    return Effect.fail(
      new InvalidArgument({
        argument: "session.id",
        value: String(session.id),
        rule: "must be a session id, as a bigint"
      })
    )
  }
  const length = Redacted.isRedacted(session.password) ? Redacted.value(session.password).length : 0
  if (length <= 0 || length > Frame.MAX_REQUEST / 2) {
    return Effect.fail(
      new InvalidArgument({
        argument: "session.password",
        value: `<redacted, ${length} bytes>`,
        rule: "must be the password that came with the session (16 bytes)"
      })
    )
  }
  return Effect.succeed(session)
}
