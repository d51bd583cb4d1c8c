/** The keys of a file of profiles: what is wrong with them, and how they are written. */

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

/** A key in the spelling of a flag is the same key; others may have two wrong letters. */
const nearest = (wrong: string, known: ReadonlyArray<string>): string | undefined => {
  const [best] = known
    .map((key) => ({ key, distance: distance(plain(wrong), plain(key)) }))
    .toSorted((a, b) => a.distance - b.distance)
  return best === undefined || best.distance > Math.min(2, best.key.length / 2) ? undefined : best.key
}

const plain = (key: string): string => key.toLowerCase().replaceAll(/[-_]/g, "")

/** How many letters have to be put in, left out or replaced. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
