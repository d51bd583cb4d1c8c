/** The members that the configuration of an ensemble names, and those that it names without an address for clients. */
import type { EnsembleConfig } from "@effect-zookeeper/client/Models"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Option from "effect/Option"

export interface Discovered {
  /** The servers to ask. */
  readonly servers: ReadonlyArray<ServerAddress>
  readonly unknown: Unknown | undefined
}

/** Members that cannot be asked, because neither the configuration nor the connect string tells where they serve clients. */
export interface Unknown {
  /** How many they are. */
  readonly count: number
  /** Such as `server.1`: more names than `count`, where it is not known which of them was asked. */
  readonly names: ReadonlyArray<string>
}

/**
 * The members of this configuration. An ordinary zoo.cfg has no addresses for clients in it: such members are those of the
 * connect string, as far as that has their hosts.
 */
export const discovered = (
  { members }: Pick<EnsembleConfig, "members">,
  given: ReadonlyArray<ServerAddress>
): Discovered => {
  const scheme = given[0]?.scheme
  const found = members.flatMap((member) => {
    const address = clientAddressOf(member)
    return address === undefined ? [] : [{ ...address, scheme }]
  })
  const others = members.filter((member) => clientAddressOf(member) === undefined)
  if (others.length === 0) return { servers: found.length === 0 ? given : found, unknown: undefined }
  const known = new Set(found.map(format))
  const more = given.filter((server) => !known.has(format(server)))
  const hosts = new Set(others.flatMap(hostsOf))
  // By other names than those of the configuration they are members still, where it has no address at all.
  const named = found.length === 0 ? more : more.filter(({ host }) => hosts.has(host))
  const left = others.filter((member) => !isCovered(member, others, named))
  const count = others.length - named.length
  return {
    servers: [...found, ...named],
    unknown:
      count <= 0 ? undefined : { count, names: (left.length < count ? others : left).map(({ id }) => `server.${id}`) }
  }
}

/** Where a member of the configuration serves clients, as far as that tells it. */
export const clientAddressOf = ({ addresses, client }: EnsembleConfig["members"][number]): ServerAddress | undefined =>
  Option.isNone(client) ? undefined : addressOf(client.value, addresses)

/** Says which members cannot be asked, and how they can be. */
export const explainUnknown = ({ count, names }: Unknown): string => {
  const last = names.at(-1) ?? ""
  const all = names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`
  const [which, them] =
    names.length === count ? [all, names.length === 1 ? "it" : "them"] : [`${count} of ${all}`, "all"]
  return `the configuration has no client address of ${which}: name ${them} in --servers`
}

// ---- internal

/** Whether the servers that were named are all members of its hosts, so that it is one of them. */
const isCovered = (
  member: EnsembleConfig["members"][number],
  others: EnsembleConfig["members"],
  named: ReadonlyArray<ServerAddress>
): boolean => {
  const hosts = new Set(hostsOf(member))
  const here = named.filter(({ host }) => hosts.has(host)).length
  return here >= others.filter((other) => hostsOf(other).some((host) => hosts.has(host))).length
}

const hostsOf = ({ addresses }: EnsembleConfig["members"][number]): ReadonlyArray<string> =>
  addresses.flatMap((address) => hostOf(address) ?? [])

/** The host of `host:quorumPort:electionPort`. */
const hostOf = (address: string): string | undefined => /^(.*):\d+:\d+$/.exec(address)?.[1]?.replace(/^\[|\]$/g, "")

/** `0.0.0.0:2181` and `2181` are a port alone: the host is that of the member. */
const addressOf = (client: string, addresses: ReadonlyArray<string>): ServerAddress | undefined => {
  const [, host, port] = /^(?:(.*):)?(\d+)$/.exec(client) ?? []
  if (port === undefined) return undefined
  const isAny = host === undefined || host === "" || /^\[?(0\.0\.0\.0|::|0:0:0:0:0:0:0:0)\]?$/.test(host)
  const own = isAny ? hostOf(addresses[0] ?? "") : host
  return own === undefined ? undefined : { host: own.replace(/^\[|\]$/g, ""), port: Number(port) }
}
