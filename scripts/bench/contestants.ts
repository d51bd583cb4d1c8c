/**
 * The contestants, and where each comes from.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"
import { contestantCommand, kazooCommand } from "./processes.ts"

export interface Entry {
  /** Its name in tables. */
  readonly name: string
  readonly command: (servers: string) => ReadonlyArray<string>
  /** Whether it registers its watches again after a lost connection. */
  readonly canReconnect: boolean
  readonly hasTransactions: boolean
}

export const floor: Entry = {
  name: "floor",
  command: (servers) => contestantCommand("floor", servers),
  canReconnect: true,
  hasTransactions: true
}

export const effect: Entry = { ...floor, name: "effect", command: (servers) => contestantCommand("effect", servers) }

export const promise: Entry = { ...floor, name: "promise", command: (servers) => contestantCommand("promise", servers) }

const peers = fileURLToPath(new URL("peers", import.meta.url))

const runs = (command: string, ...args: ReadonlyArray<string>): boolean =>
  ChildProcess.spawnSync(command, args, { stdio: "ignore", cwd: peers }).status === 0

/**
 * Installs the peers from npm where they are not there yet, by their own lockfile; gives the reasons why some are missing.
 *
 * Only the build script that `peers/pnpm-workspace.yaml` names runs.
 */
export const findPeers = (): { readonly entries: ReadonlyArray<Entry>; readonly missing: ReadonlyArray<string> } => {
  if (!Fs.existsSync(`${peers}/node_modules/.modules.yaml`)) {
    console.error("Installing the peers from npm, once ...")
    const args = ["-y", "pnpm@12", "install", "--frozen-lockfile"]
    ChildProcess.spawnSync("npx", args, { cwd: peers, stdio: ["ignore", "ignore", "inherit"] })
  }
  const entries: Array<Entry> = []
  const missing: Array<string> = []
  if (Fs.existsSync(`${peers}/node_modules/node-zookeeper-client`)) {
    entries.push({
      ...floor,
      name: "node-zookeeper-client",
      command: (servers) => contestantCommand("nodeZookeeperClient", servers)
    })
  } else missing.push("node-zookeeper-client: it is not installed")
  if (runs(process.execPath, "-e", 'require("zookeeper")')) {
    entries.push({
      ...floor,
      name: "zookeeper (C)",
      command: (servers) => contestantCommand("cBinding", servers),
      hasTransactions: false
    })
  } else missing.push("zookeeper (the C binding): its native part was not built for this Node")
  if (runs("/usr/bin/python3", "-c", "import kazoo")) {
    entries.push({ ...floor, name: "kazoo", command: kazooCommand, canReconnect: false })
  } else missing.push("kazoo: python3-kazoo is not installed")
  return { entries, missing }
}
