/**
 * The methods for the identities and servers of the session, and for the configuration of the ensemble.
 */
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import { withJson } from "@effect-zookeeper/protocol/Json"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { EnsembleConfig, EnsembleMember, ReconfigureOptions } from "../../Models.ts"
import type { Service } from "../../Service.ts"
import { invalid } from "../validate.ts"
import { reconfigureOptions } from "../methodOptions.ts"
import { send } from "../View.ts"
import type { View } from "../View.ts"

type Rows = "whoAmI" | "addAuth" | "updateServers" | "getConfig" | "reconfigure"

/** The znode with the configuration, which is the same under every chroot. */
export const configPath = "/zookeeper/config"

export const makeReconfig = (view: View): Pick<Service, Rows> => ({
  whoAmI: Effect.suspend(() =>
    Effect.map(send(view, Operations.whoAmI, undefined, ""), ({ clientInfo }) =>
      clientInfo.map(({ authScheme, user }) => ({ scheme: authScheme, id: user }))
    )
  ),
  addAuth: (scheme, credentials) =>
    typeof scheme !== "string" || scheme === ""
      ? Effect.fail(invalid("scheme", scheme, 'a scheme must be a text that is not empty, such as "digest"'))
      : view.session.addAuth({ scheme, credentials }),
  updateServers: (connectString) => view.session.updateServers(connectString),
  getConfig: Effect.suspend(() =>
    Effect.map(send(view, Operations.getData, { path: configPath, watch: false }, configPath), ({ data }) =>
      parseConfig(data)
    )
  ),
  reconfigure: (options) => {
    const error = checkReconfigure(options)
    if (error !== undefined) return Effect.fail(error)
    const request = {
      joiningServers: list(options.joining),
      leavingServers: list(options.leaving),
      newMembers: list(options.members),
      curConfigId: options.fromConfig ?? -1n
    }
    return Effect.map(send(view, Operations.reconfig, request, configPath), ({ data }) => parseConfig(data))
  }
})

const list = (items: ReadonlyArray<string | number> | undefined): string | null =>
  items === undefined || items.length === 0 ? null : items.join(",")

const checkReconfigure = (options: ReconfigureOptions): InvalidArgument | undefined => {
  // Missing options are checked below, where the message says what is needed.
  const mistake = KnownOptions.check(reconfigureOptions, options ?? {})
  if (mistake !== undefined) return mistake
  const { fromConfig, joining = [], leaving = [], members = [] } = options ?? {}
  if (joining.length + leaving.length + members.length === 0) {
    return invalid("reconfigure", "{}", "name servers in joining, leaving or members")
  }
  if (members.length > 0 && joining.length + leaving.length > 0) {
    return invalid("members", members, "members is the whole new list; leave joining and leaving out")
  }
  for (const server of [...joining, ...members]) {
    if (parseMember(server) === undefined) {
      return invalid("server", server, "a server must look like server.1=host:2888:3888:participant;2181")
    }
  }
  for (const id of leaving) {
    if (!/^\d+$/.test(String(id))) return invalid("leaving", id, "a server to remove is named by its number")
  }
  if (fromConfig !== undefined && fromConfig !== BigInt.asIntN(64, fromConfig)) {
    return invalid("fromConfig", fromConfig, "a version must fit into 64 bits")
  }
  return undefined
}

// -----------------------------------------------------------------------------
// the text of a configuration
// -----------------------------------------------------------------------------

/** Lines that this release does not know are in `raw` alone. */
export const parseConfig = (data: Uint8Array | null): EnsembleConfig => {
  const raw = data === null ? "" : new TextDecoder().decode(data)
  const members: Array<EnsembleMember> = []
  let version = 0n
  for (const line of raw.split(/\r?\n|\r/)) {
    const member = parseMember(line.trim())
    if (member !== undefined) members.push(member)
    // A signed 64-bit integer, which `fromConfig` takes.
    const hex = /^version=([0-9a-f]{1,16})$/i.exec(line.trim())?.[1]
    if (hex !== undefined) version = BigInt.asIntN(64, BigInt(`0x${hex}`))
  }
  return withJson({ version, members, raw })
}

/** `server.1=zk1:2888:3888:participant;0.0.0.0:2181`, addresses separated by "|" where a server has several. */
const parseMember = (text: string): EnsembleMember | undefined => {
  // No server has a number with more than 15 digits.
  const match = /^server\.(\d{1,15})=([^;]+)(?:;(.+))?$/s.exec(text)
  if (match === null) return undefined
  const [, id = "", quorum = "", client] = match
  let role: EnsembleMember["role"] = "participant"
  const addresses = quorum.split("|").map((address) => {
    const named = /^(.*):(participant|observer)$/s.exec(address)
    if (named === null) return address
    role = named[2] === "observer" ? "observer" : "participant"
    return named[1] ?? address
  })
  return { id: Number(id), addresses, role, client: Option.fromUndefinedOr(client) }
}
