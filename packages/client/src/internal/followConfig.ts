/**
 * Keeps the list of servers current by the configuration that the ensemble has of itself.
 *
 * The addresses are those that servers announce to clients. A server that listens on all addresses announces none: then it is
 * the host at which the other servers reach it, with the port for clients.
 */
import * as Printable from "@effect-zookeeper/protocol/Printable"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { EnsembleConfig, EnsembleMember } from "../Models.ts"
import * as Outcome from "../Outcome.ts"
import type { Service } from "../Service.ts"
import { configPath, parseConfig } from "./operations/reconfig.ts"
import { annotations } from "./tracing.ts"

/** Follows the configuration until the Scope closes. `root` has no chroot. */
export const followConfig = (root: Service): Effect.Effect<void, never, Scope.Scope> => {
  let applied: string | undefined
  let isTold = false
  const warn = (reason: string) =>
    Effect.suspend(() => {
      if (isTold) return Effect.void
      isTold = true
      const line = `the list of servers does not follow the ensemble's configuration: ${reason}`
      return Effect.annotateLogs(Effect.logWarning(line), annotations(root.session))
    })
  const apply = (config: EnsembleConfig) =>
    Effect.suspend(() => {
      const servers = serversOf(config)
      if (Result.isFailure(servers)) return warn(servers.failure)
      if (servers.success === applied) {
        isTold = false
        return Effect.void
      }
      applied = servers.success
      return Effect.matchEffect(root.updateServers(servers.success), {
        onFailure: (error) => warn(error.message),
        onSuccess: () =>
          Effect.sync(() => {
            isTold = false
          })
      })
    })
  const following = Stream.runForEach(root.dataChanges(configPath), (found) =>
    Option.match(found, {
      onNone: () => warn(`there is no ${configPath}, which ZooKeeper has since 3.5`),
      onSome: ({ data }) => apply(parseConfig(data))
    })
  )
  const forever: Effect.Effect<void> = Outcome.retryAcrossSessions(root.session, following).pipe(
    Effect.catchTag(["SessionExpired", "SessionClosed", "AuthFailed"], () => Effect.void),
    // A read that is given up or refused may succeed later.
    Effect.catch((error) =>
      Effect.andThen(warn(error.message), Effect.andThen(Effect.flatMap(Outcome.longPause, Effect.sleep), forever))
    )
  )
  return Effect.asVoid(Effect.forkScoped(forever, { startImmediately: true }))
}

/** The connect string of all members, in their order, or the reason for which there is none. */
export const serversOf = ({ members }: EnsembleConfig): Result.Result<string, string> => {
  const servers: Array<string> = []
  for (const member of members) {
    const addresses = clientAddresses(member)
    // A list without this member would lose it for good.
    if (addresses.length === 0) return Result.fail(`it has no address for clients of server.${member.id}`)
    servers.push(...addresses)
  }
  return servers.length === 0 ? Result.fail("it names no servers") : Result.succeed([...new Set(servers)].join(","))
}

// ---- internal

const clientAddresses = ({ addresses, client }: EnsembleMember): ReadonlyArray<string> => {
  const match = Option.isNone(client) ? null : /^(?:(.*):)?(\d{1,5})$/s.exec(client.value)
  if (match === null) return []
  const [, host = "", port = ""] = match
  if (!wildcards.has(host)) return [`${host}:${port}`]
  return addresses.flatMap((address) => {
    const [, quorumHost] = /^(.+):\d+:\d+$/s.exec(address) ?? []
    return quorumHost === undefined ? [] : [`${Printable.escape(quorumHost)}:${port}`]
  })
}

/** All addresses of a server, which no client can connect to. */
const wildcards: ReadonlySet<string> = new Set([
  "",
  "0.0.0.0",
  "[::]",
  "::",
  "[0:0:0:0:0:0:0:0]",
  "0:0:0:0:0:0:0:0",
  "*"
])
