import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { SaslExchange } from "../../SaslMechanism.ts"
import { SaslError } from "../../SaslError.ts"
import { md5 } from "./md5.ts"

/** The name of every ZooKeeper server, whatever its host is. */
const DIGEST_URI = "zookeeper/zk-sasl-md5"

/** The realm of every ZooKeeper server. Another one would let a false server choose what the password is hashed with. */
const REALM = "zk-sasl-md5"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

interface Credentials {
  readonly username: string
  readonly password: Redacted.Redacted<string>
}

/**
 * The client's side of DIGEST-MD5 (RFC 2831) as ZooKeeper speaks it: an empty token, the server's challenge, the client's
 * proof, the server's proof.
 */
export const digestMd5Exchange = (credentials: Credentials): Effect.Effect<SaslExchange> =>
  Effect.sync(() => {
    // A nonce guards against replays, so it comes from the secure generator and not from a seed.
    const cnonce = hex(globalThis.crypto.getRandomValues(new Uint8Array(16)))
    let expected: string | undefined
    return {
      initial: new Uint8Array(0),
      answer: (challenge) =>
        Effect.suspend(() => {
          const directives = parseDirectives(decoder.decode(challenge))
          if (expected !== undefined) {
            return isSame(directives.get("rspauth") ?? "", expected)
              ? Effect.succeed(undefined)
              : Effect.fail(new SaslError({ reason: "the server could not prove that it knows the password" }))
          }
          const rule = checkChallenge(directives)
          if (rule !== undefined) return Effect.fail(new SaslError({ reason: rule }))
          const proof = prove(credentials, directives, cnonce)
          expected = proof.rspauth
          return Effect.succeed(encoder.encode(proof.token))
        })
    }
  })

/** The reason to refuse a challenge; undefined for a good one. */
const checkChallenge = (directives: ReadonlyMap<string, string>): string | undefined => {
  if (directives.size === 0)
    return "the server offers none; check that it has a Server section in its JAAS configuration"
  if (!directives.get("nonce")) return "the server's challenge has no nonce"
  if ((directives.get("realm") ?? REALM) !== REALM) return `the server names another realm than ${REALM}`
  if (directives.get("algorithm") !== "md5-sess") return "the server asks for another algorithm than md5-sess"
  const qop = directives.get("qop")
  return qop === undefined || qop.split(",").some((option) => option.trim() === "auth")
    ? undefined
    : "the server does not offer the quality of protection `auth`"
}

const prove = (credentials: Credentials, directives: ReadonlyMap<string, string>, cnonce: string) => {
  const { username } = credentials
  const nonce = directives.get("nonce") ?? ""
  const nc = "00000001"
  const secret = md5(encoder.encode(`${username}:${REALM}:${Redacted.value(credentials.password)}`))
  const ha1 = hashHex(secret, encoder.encode(`:${nonce}:${cnonce}`))
  const respond = (method: string) => {
    const ha2 = hashHex(encoder.encode(`${method}:${DIGEST_URI}`))
    return hashHex(encoder.encode(`${ha1}:${nonce}:${nc}:${cnonce}:auth:${ha2}`))
  }
  const token = [
    "charset=utf-8",
    `username="${quote(username)}"`,
    `realm="${REALM}"`,
    `nonce="${quote(nonce)}"`,
    `nc=${nc}`,
    `cnonce="${cnonce}"`,
    `digest-uri="${DIGEST_URI}"`,
    "maxbuf=65536",
    `response=${respond("AUTHENTICATE")}`,
    "qop=auth"
  ].join(",")
  return { token, rspauth: respond("") }
}

/** Takes the same time wherever two texts differ. */
const isSame = (a: string, b: string): boolean => {
  let difference = a.length ^ b.length
  for (let i = 0; i < b.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}

const hashHex = (...parts: ReadonlyArray<Uint8Array>): string => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return hex(md5(whole))
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

const quote = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')

/** Reads `name=value` pairs, the values bare or quoted. One pass; what is no pair is passed over. */
const parseDirectives = (text: string): ReadonlyMap<string, string> => {
  const directives = new Map<string, string>()
  let at = 0
  while (at < text.length) {
    const equals = text.indexOf("=", at)
    if (equals < 0) break
    const name = text.slice(at, equals).trim().toLowerCase()
    const { end, value } = text[equals + 1] === '"' ? readQuoted(text, equals + 2) : readBare(text, equals + 1)
    if (!directives.has(name)) directives.set(name, value)
    const comma = text.indexOf(",", end)
    at = comma < 0 ? text.length : comma + 1
  }
  return directives
}

const readBare = (text: string, start: number) => {
  const comma = text.indexOf(",", start)
  const end = comma < 0 ? text.length : comma
  return { value: text.slice(start, end).trim(), end }
}

const readQuoted = (text: string, start: number) => {
  let value = ""
  let at = start
  for (; at < text.length && text[at] !== '"'; at++) {
    if (text[at] === "\\") at++
    value += text[at] ?? ""
  }
  return { value, end: at + 1 }
}
