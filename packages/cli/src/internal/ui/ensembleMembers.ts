/** The members that the console asks: those of the connect string, and those that the configuration adds to them. */
import type { EnsembleConfig } from "@effect-zookeeper/client/Models"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { clientAddressOf } from "../diagnose/discovery.ts"

export interface Member {
  readonly address: ServerAddress
  /** Undefined where the configuration does not tell. */
  readonly role: Role | undefined
}

type Role = EnsembleConfig["members"][number]["role"]

/**
 * The servers that were given come first. A connect string with as many servers as there are members names all of them, maybe by
 * other names than the configuration does.
 */
export const membersOf = (
  given: ReadonlyArray<ServerAddress>,
  config: EnsembleConfig | undefined
): ReadonlyArray<Member> => {
  const members = config?.members ?? []
  const named = given.map((address): Member => ({ address, role: roleOf(address, members) }))
  if (given.length >= members.length) return named
  const scheme = given[0]?.scheme
  const added = members.flatMap((member): ReadonlyArray<Member> => {
    const found = clientAddressOf(member)
    if (found === undefined || given.some((each) => isSame(each, found))) return []
    return [{ address: { host: found.host, port: found.port, scheme }, role: member.role }]
  })
  return [...named, ...added]
}

/** The voters of the configuration. Undefined before ZooKeeper 3.5, and for a standalone server. */
export const votersOf = (config: EnsembleConfig | undefined): number | undefined => {
  const voters = config?.members.filter(({ role }) => role === "participant").length
  return voters === 0 ? undefined : voters
}

// ---- internal

/** By the address for clients, or by the host where only one member has it. */
const roleOf = (address: ServerAddress, members: EnsembleConfig["members"]): Role | undefined => {
  const exact = members.find((member) => {
    const found = clientAddressOf(member)
    return found !== undefined && isSame(found, address)
  })
  if (exact !== undefined) return exact.role
  const [first, ...others] = members.filter(({ addresses }) =>
    addresses.some((each) => hostOf(each) === plain(address.host))
  )
  return others.length === 0 ? first?.role : undefined
}

const isSame = (a: ServerAddress, b: ServerAddress): boolean => a.port === b.port && plain(a.host) === plain(b.host)

/** The host of `zk1:2888:3888`. */
const hostOf = (address: string): string => plain(address.replace(/(:\d+)*$/, ""))

const plain = (host: string): string => {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase()
  return name === "127.0.0.1" || name === "::1" ? "localhost" : name
}
