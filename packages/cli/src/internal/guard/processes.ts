/** The processes of a command: its process group, and those of its descendants that have left the group. */
import * as Fs from "node:fs"
import { isAlive, signalGroup } from "./messages.ts"

export interface Processes {
  /** Sends a signal to the group, and to the descendants that are outside of it now or were so at an earlier signal. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** Whether one of the group is there, or of those outside that got a signal. */
  readonly isAlive: () => boolean
}

/**
 * Only Linux tells the descendants, by `/proc`. One whose parent had ended before the first signal is init's child, and is
 * not found.
 */
export const processesOf = (group: number): Processes => {
  const outside = new Map<number, string>()
  return {
    signal: (signal) => {
      for (const { pid, started } of descendantsOutside(group, outside)) outside.set(pid, started)
      signalGroup(group, signal)
      for (const process of outside) if (isThere(process)) signalOne(process[0], signal)
    },
    isAlive: () => isAlive(group) || Array.from(outside).some(isThere)
  }
}

// ---- internal

interface Found {
  readonly pid: number
  readonly state: string
  readonly parent: number
  readonly group: number
  /** When it began. */
  readonly started: string
}

const descendantsOutside = (group: number, known: ReadonlyMap<number, string>): ReadonlyArray<Found> => {
  const all = readProcesses()
  const family = new Set<number>()
  for (const found of all) {
    // The number of one that has ended may be that of an unrelated process.
    if (found.group === group || known.get(found.pid) === found.started) family.add(found.pid)
  }
  for (let before = -1; before !== family.size;) {
    before = family.size
    for (const { parent, pid } of all) if (family.has(parent)) family.add(pid)
  }
  return all.filter((found) => found.group !== group && family.has(found.pid) && !known.has(found.pid))
}

const readProcesses = (): ReadonlyArray<Found> => {
  if (process.platform !== "linux") return []
  try {
    return Fs.readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name) => readProcess(Number(name)))
      .filter((found) => found !== undefined)
  } catch {
    return []
  }
}

/** Undefined for a process that has ended. */
const readProcess = (pid: number): Found | undefined => {
  try {
    const stat = Fs.readFileSync(`/proc/${pid}/stat`, "latin1")
    // The name of the program, in parentheses, may have spaces and parentheses itself.
    const [state = "", parent, group, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return { pid, state, parent: Number(parent), group: Number(group), started: rest[16] ?? "" }
  } catch {
    return undefined
  }
}

/** By its number and when it began: another process may have the number since. A zombie has ended. */
const isThere = ([pid, started]: readonly [number, string]): boolean => {
  const found = readProcess(pid)
  return found !== undefined && found.started === started && found.state !== "Z"
}

const signalOne = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended, or belongs to another user.
  }
}
