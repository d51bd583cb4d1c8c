/**
 * The peers from npm, which are installed beside this file and not in the workspace.
 */
import { createRequire } from "node:module"

const require = createRequire(new URL("peers/package.json", import.meta.url))

/** Loads a peer, which has no types here: the caller says what it uses of it. */
export const loadPeer = <T>(name: string): T => require(name) as T
