/** The settings of a command that names its servers and nothing else. */
import type { Settings } from "../../src/internal/frame/Settings.ts"

export const settingsOf = (servers: string): Settings => ({
  servers,
  chroot: "",
  auth: [],
  sasl: undefined,
  tls: undefined,
  readOnly: undefined,
  timeout: undefined,
  isTimeoutAsked: false,
  maxBuffer: undefined,
  forAll: { tls: undefined, maxBuffer: undefined }
})
