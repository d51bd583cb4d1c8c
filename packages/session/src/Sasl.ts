/**
 * SASL: how a session proves who it is on each of its connections, before anything else is said.
 *
 * DIGEST-MD5 is built in. Another mechanism, GSSAPI for Kerberos among them, is a `SaslMechanism` that an application
 * brings. A session that was asked to authenticate never goes on without: a server that refuses, or that knows no SASL,
 * ends it with `AuthFailed`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { digestMd5Exchange } from "./internal/auth/digestMd5.ts"
import { SaslError } from "./SaslError.ts"

/**
 * One exchange of tokens, on one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface SaslExchange {
  /** The first token; often empty. */
  readonly initial: Uint8Array
  /**
   * Answers a token of the server (empty where it sent none). With a `token` that is sent and the server's next one
   * awaited; `undefined` says that the exchange is over and the server has proved itself.
   */
  readonly answer: (challenge: Uint8Array) => Effect.Effect<Uint8Array | undefined, SaslError>
}

/**
 * A way to authenticate.
 *
 * @category models
 * @since 0.1.0
 */
export interface SaslMechanism {
  /** The mechanism's registered name, such as `DIGEST-MD5`. */
  readonly name: string
  /** Begins an exchange with a server, named as the connect string names it. Runs for each connection. */
  readonly begin: (server: { readonly host: string; readonly port: number }) => Effect.Effect<SaslExchange, SaslError>
}

/**
 * A user and a password that the servers have in the `Server` section of their JAAS configuration. The server is made to
 * prove that it knows the password too.
 *
 * **Gotchas**
 *
 * MD5 protects a password badly: use it over TLS. Servers since 3.8.5 and 3.9.4 refuse it in FIPS mode, which is the
 * default since 3.9.
 *
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
