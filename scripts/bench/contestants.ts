/**
 * The contestants, and where each comes from.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"
import { compileNatives } from "./native.ts"
import { contestantCommand, kazooCommand } from "./processes.ts"

export interface Entry {
  /** Its name in tables. */
  readonly name: string
  /** `child` is the file that runs our modules, if it is not `child.ts`. */
  readonly command: (servers: string, child?: string) => ReadonlyArray<string>
  /** Whether it registers its watches again after a lost connection. */
  readonly canReconnect: boolean
  readonly hasTransactions: boolean
}

/** One that runs in our own process of contestants, by its module. */
const inNode = (name: string, module = name): Entry => ({
  name,
  command: (servers, child) => contestantCommand(module, servers, child),
  canReconnect: true,
  hasTransactions: true
})

export const floor = inNode("floor")

export const effect = inNode("effect")

export const promise = inNode("promise")

/** Where the peers from npm are installed. */
export const peersFolder = fileURLToPath(new URL("peers", import.meta.url))

const runs = (command: string, ...args: ReadonlyArray<string>): boolean =>
  ChildProcess.spawnSync(command, args, { stdio: "ignore", cwd: peersFolder }).status === 0

/** A contestant that is not there. */
export interface Missing {
  readonly name: string
  readonly reason: string
}

/** Installs the peers from npm where they are not there yet, by their own lockfile. */
export const installPeers = (): void => {
  if (Fs.existsSync(`${peersFolder}/node_modules/.modules.yaml`)) return
  console.error("Installing the peers from npm, once ...")
  const args = ["-y", "pnpm@12", "install", "--frozen-lockfile"]
  ChildProcess.spawnSync("npx", args, { cwd: peersFolder, stdio: ["ignore", "ignore", "inherit"] })
}

/** Whether the native part of npm's binding of the C client was built. */
export const hasCBinding = (): boolean => runs(process.execPath, "-e", 'require("zookeeper")')

/**
 * The peers that are there, those in other languages compiled, and the reasons why some are missing.
 *
 * Only the build script that `peers/pnpm-workspace.yaml` names runs.
 */
export const findPeers = (): { readonly entries: ReadonlyArray<Entry>; readonly missing: ReadonlyArray<Missing> } => {
  installPeers()
  const entries: Array<Entry> = []
  const missing: Array<Missing> = []
  if (Fs.existsSync(`${peersFolder}/node_modules/node-zookeeper-client`)) {
    entries.push(inNode("node-zookeeper-client", "nodeZookeeperClient"))
  } else missing.push({ name: "node-zookeeper-client", reason: "it is not installed" })
  if (hasCBinding()) {
    entries.push({ ...inNode("zookeeper (C)", "cBinding"), hasTransactions: false })
  } else missing.push({ name: "zookeeper (the C binding)", reason: "its native part was not built for this Node" })
  if (runs("/usr/bin/python3", "-c", "import kazoo")) {
    entries.push({ ...floor, name: "kazoo", command: kazooCommand, canReconnect: false })
  } else missing.push({ name: "kazoo", reason: "python3-kazoo is not installed" })
  for (const { built, name } of compileNatives()) {
    if ("missing" in built) missing.push({ name, reason: built.missing })
    else entries.push({ ...floor, name, command: (servers) => [built.program, servers] })
  }
  return { entries, missing }
}
