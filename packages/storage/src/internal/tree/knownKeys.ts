/** The options of a data directory. */
import * as Options from "../options.ts"
import type { Options as DirectoryOptions, TreeOptions } from "./model.ts"

export const directoryKeys: Options.Rules<DirectoryOptions> = { logDirectory: Options.text, ...Options.reading }

export const treeKeys: Options.Rules<TreeOptions> = {
  ...directoryKeys,
  zxid: Options.zxid,
  time: Options.time,
  maxTreeSize: Options.limit(1)
}
