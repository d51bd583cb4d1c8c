/**
 * Credentials as text: a line `scheme:credentials` for each, with empty lines and comments that begin with "#".
 *
 * `sasl` is no scheme of servers: its user and password are for DIGEST-MD5, when a connection begins.
 */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { UsageError } from "./errors.ts"

export interface Credentials {
  readonly auth: NonNullable<ZooKeeper.Options["auth"]>
  readonly sasl: ZooKeeper.Options["sasl"]
}

export const noCredentials: Credentials = { auth: [], sasl: undefined }

/** Of a user whose password was asked for. */
export const authOfUser = Effect.fnUntraced(function* (
  scheme: string,
  name: string,
  password: Redacted.Redacted<string>
): Effect.fn.Return<Credentials> {
  if (scheme === "sasl") return { auth: [], sasl: yield* digestMd5(name, password) }
  return { auth: [{ scheme, credentials: Redacted.make(`${name}:${Redacted.value(password)}`) }], sasl: undefined }
})

/** The error names the line, and nothing of its text. */
export const parseAuth = Effect.fnUntraced(function* (
  source: string,
  text: Redacted.Redacted<string>
): Effect.fn.Return<Credentials, UsageError> {
  const auth: Array<{ readonly scheme: string; readonly credentials: Redacted.Redacted<string> }> = []
  let sasl: Credentials["sasl"]
  for (const [index, raw] of Redacted.value(text).split("\n").entries()) {
    const line = raw.trim()
    if (line === "" || line.startsWith("#")) continue
    const fail = (problem: string) => new UsageError({ message: `line ${index + 1} of ${source} ${problem}` })
    const [scheme, credentials] = split(line)
    if (scheme === "") return yield* fail("is not scheme:credentials, as in digest:user:password")
    if (scheme !== "sasl") {
      auth.push({ scheme, credentials: Redacted.make(credentials) })
      continue
    }
    const [username, password] = split(credentials)
    if (username === "") return yield* fail("is not sasl:user:password")
    if (sasl !== undefined) return yield* fail("has a second user of sasl: a connection has one")
    sasl = yield* digestMd5(username, Redacted.make(password))
  }
  return { auth, sasl }
})

// ---- internal

const digestMd5 = (username: string, password: Redacted.Redacted<string>) =>
  Effect.map(
    Effect.promise(() => import("./sasl.ts")),
    ({ Sasl }) => Sasl.digestMd5({ username, password })
  )

/** The text before the first colon, which is empty where there is none, and the text after it. */
export const split = (text: string): readonly [before: string, after: string] => {
  const colon = text.indexOf(":")
  return colon <= 0 ? ["", text] : [text.slice(0, colon), text.slice(colon + 1)]
}
