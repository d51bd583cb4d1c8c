/**
 * Refuses lists of servers where credentials could be read on their way.
 */
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { Transport } from "@effect-zookeeper/transport/Transport"
import * as Effect from "effect/Effect"
import { type Settings } from "../Settings.ts"

/** Keeps the secrets of a session from leaving in plain text. */
export interface CredentialPolicy {
  /** Refuses a list that gives away the secrets of a session: the first list and each that replaces it. */
  readonly checkServers: (servers: ReadonlyArray<ServerAddress>) => Effect.Effect<void, InvalidArgument>
  /** Refuses to show credentials to a server whose certificate is not verified; warns once if others can read them. */
  readonly checkCredentials: (servers: ReadonlyArray<ServerAddress>) => Effect.Effect<void, InvalidArgument>
}

export const makeCredentialPolicy = (transport: Transport["Service"], allowPlaintext: boolean): CredentialPolicy => {
  const securityOf = (server: ServerAddress) => transport.security?.(server) ?? "verified"
  let wasEncrypted = false
  let hasWarned = false
  return {
    // Every session has a password, which goes to each server that it moves to, and with which anybody could take it over.
    checkServers: (servers) =>
      Effect.suspend(() => {
        const plain = servers.find((server) => securityOf(server) === "plain")
        const encrypted = servers.find((server) => securityOf(server) !== "plain")
        if (plain !== undefined && (encrypted !== undefined || wasEncrypted) && !allowPlaintext) {
          return new InvalidArgument({
            argument: "servers",
            value: servers.map(format).join(","),
            rule: `${format(plain)} would get in plain text what ${encrypted === undefined ? "servers before it" : format(encrypted)} got over TLS, the session's password and credentials; write tls:// for all, or set allowPlaintext: true`
          })
        }
        wasEncrypted = encrypted !== undefined
        return Effect.void
      }),
    checkCredentials: (servers) =>
      Effect.suspend(() => {
        const remote = servers.filter((server) => !isLoopback(server.host))
        const unverified = remote.find((server) => securityOf(server) === "unverified")
        if (unverified !== undefined && !allowPlaintext) {
          return new InvalidArgument({
            argument: "tls.rejectUnauthorized",
            value: "false",
            rule: `credentials would go to any server that answers for ${format(unverified)}; verify it (tls.ca), or set allowPlaintext: true`
          })
        }
        const plain = remote.find((server) => securityOf(server) === "plain")
        if (plain === undefined || hasWarned) return Effect.void
        hasWarned = true
        return Effect.logWarning(
          `credentials go to ${format(plain)} in plain text, where anyone on the network between can read them; use TLS`
        )
      })
  }
}

/** Whether the session shows credentials, or takes up a session that others could take up too. */
export const hasCredentials = ({ auth, sasl, session }: Settings): boolean =>
  auth.length > 0 || sasl !== undefined || session !== undefined

const isLoopback = (host: string): boolean =>
  host.toLowerCase() === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host)
