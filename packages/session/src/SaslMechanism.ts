/**
 * The interface of SASL mechanisms, for applications that bring one of their own.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { SaslError } from "./SaslError.ts"

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
   * Answers a token of the server, which is empty if it sent none. A `Uint8Array` is sent, and the server's next token is
   * awaited; `undefined` says that the exchange is over and the server has proved itself.
   */
  readonly answer: (challenge: Uint8Array) => Effect.Effect<Uint8Array | undefined, SaslError>
}

/**
 * A way to authenticate, such as `Sasl.digestMd5`.
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
