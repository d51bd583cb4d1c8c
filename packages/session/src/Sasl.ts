/**
 * SASL: how a session proves its user on each of its connections, before anything else is sent.
 *
 * DIGEST-MD5 is built in. Another mechanism, such as GSSAPI for Kerberos, is a `SaslMechanism` that an application brings. A
 * session that was given a mechanism is never used without it: a server that refuses, or that does not know SASL, ends it
 * with `AuthFailed`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { digestMd5Exchange } from "./internal/auth/digestMd5.ts"
import { SaslError } from "./SaslError.ts"
import type { SaslMechanism } from "./SaslMechanism.ts"

export type { SaslExchange, SaslMechanism } from "./SaslMechanism.ts"

/**
 * A user and a password that the servers have in the `Server` section of their JAAS configuration. The server must prove
 * that it knows the password too. The exchange fails with `SaslError` if it does not, and if the password is not `Redacted`;
 * the session ends with `AuthFailed` then.
 *
 * **Gotchas**
 *
 * MD5 protects a password badly: use it over TLS. Servers since 3.8.5 and 3.9.4 refuse it in FIPS mode, which is the
 * default since 3.9.
 *
 * @example
 * ```ts
 * import * as Sasl from "@effect-zookeeper/session/Sasl"
 * import * as Session from "@effect-zookeeper/session/Session"
 * import * as Redacted from "effect/Redacted"
 *
 * const sasl = Sasl.digestMd5({ username: "ann", password: Redacted.make("secret") })
 *
 * export const SessionLive = Session.layer({ servers: "tls://zk1:2281", sasl })
 * ```
 * @category constructors
 * @since 0.1.0
 */
export const digestMd5 = (options: {
  readonly username: string
  readonly password: Redacted.Redacted<string>
}): SaslMechanism => ({
  name: "DIGEST-MD5",
  begin: () =>
    Redacted.isRedacted(options.password)
      ? digestMd5Exchange(options)
      : Effect.fail(new SaslError({ reason: "the password must be a Redacted string: Redacted.make(...)" }))
})
