/** The keys of a file of profiles: what is wrong with them, and how they are written. */
import { nearest } from "../output/nearest.ts"

export interface Keys {
  readonly profile: ReadonlyArray<string>
  readonly tls: ReadonlyArray<string>
}

/** The first key that no profile has, or that is outside of a profile; undefined where all are right. */
export const mistakeOf = (tables: Readonly<Record<string, unknown>>, keys: Keys): string | undefined => {
  for (const [name, table] of Object.entries(tables)) {
    if (!isTable(table)) {
      return `${JSON.stringify(name)} is in no profile; write the header of one above it, such as [default]`
    }
    const mistake = unknownKey(`[${name}]`, table, keys.profile, `[${name}.tls]`, keys.tls)
    if (mistake !== undefined) return mistake
    const nested = isTable(table.tls)
      ? unknownKey(`[${name}.tls]`, table.tls, keys.tls, `[${name}]`, keys.profile)
      : undefined
    if (nested !== undefined) return nested
  }
  return undefined
}

/** A list of servers is written as a connect string. */
export const joinServers = (tables: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(tables).map(([name, table]) => {
      const servers = isTable(table) ? table.servers : undefined
      const isList = Array.isArray(servers) && servers.length > 0 && servers.every((each) => typeof each === "string")
      return [name, isTable(table) && isList ? { ...table, servers: servers.join(",") } : table]
    })
  )

// ---- internal

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const unknownKey = (
  header: string,
  table: Readonly<Record<string, unknown>>,
  known: ReadonlyArray<string>,
  otherHeader: string,
  others: ReadonlyArray<string>
): string | undefined => {
  const wrong = Object.keys(table).find((key) => !known.includes(key))
  if (wrong === undefined) return undefined
  const near = nearest(wrong, known)
  const other = near === undefined ? nearest(wrong, others) : undefined
  const hint =
    near !== undefined
      ? `: did you mean ${near}?`
      : other !== undefined
        ? `: ${other} is a key of ${otherHeader}.`
        : "."
  return `${header} has an unknown key, ${JSON.stringify(wrong)}${hint} The keys are ${known.join(", ")}`
}
