/** The configurations of an ensemble, and what is different between two of them. */
import type { EnsembleConfig } from "@effect-zookeeper/console/EnsembleModels"
import { list } from "./acl.ts"

/** The most that are kept. */
const kept = 20

/** The newest first. A server of the page tells those again that it knows. */
export const withConfig = (
  configs: ReadonlyArray<EnsembleConfig>,
  config: EnsembleConfig
): ReadonlyArray<EnsembleConfig> =>
  configs.some(({ version }) => version === config.version) ? configs : [config, ...configs].slice(0, kept)

export interface Change {
  readonly version: bigint
  readonly seen: number
  readonly sentences: ReadonlyArray<string>
}

/** Each change between neighbours of a list that has the newest first. */
export const changesOf = (configs: ReadonlyArray<EnsembleConfig>): ReadonlyArray<Change> =>
  configs.slice(0, -1).flatMap((config, index) => {
    const before = configs[index + 1]
    return before === undefined
      ? []
      : [{ version: config.version, seen: config.seen, sentences: differences(before, config) }]
  })

type Member = EnsembleConfig["members"][number]

const differences = (before: EnsembleConfig, after: EnsembleConfig): ReadonlyArray<string> => {
  const left = before.members.filter(({ id }) => !after.members.some((member) => member.id === id))
  const sentences = [
    ...left.map(({ addresses, id }) => `Member ${id} left${at(addresses)}.`),
    ...after.members.flatMap((member) => {
      const earlier = before.members.find(({ id }) => id === member.id)
      return earlier === undefined
        ? [`Member ${member.id} joined as ${role(member)}${at(member.addresses)}.`]
        : changesOfMember(earlier, member)
    })
  ]
  return sentences.length > 0 ? sentences : ["The members are the same: only the version is new."]
}

const changesOfMember = (before: Member, after: Member): ReadonlyArray<string> => {
  const name = `Member ${after.id}`
  const sentences: Array<string> = []
  if (before.role !== after.role) sentences.push(`${name} is ${role(after)} now, and was ${role(before)}.`)
  if (String(before.addresses) !== String(after.addresses))
    sentences.push(`${name} is at ${list(after.addresses)} for members, and was at ${list(before.addresses)}.`)
  if (before.client !== after.client)
    sentences.push(`${name} is at ${after.client ?? "no address"} for clients, and was at ${before.client ?? "none"}.`)
  return sentences
}

const role = ({ role }: Member): string => (role === "observer" ? "an observer" : "a participant")

const at = (addresses: ReadonlyArray<string>): string => (addresses.length === 0 ? "" : ` (${list(addresses)})`)
