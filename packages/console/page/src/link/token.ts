/**
 * The token that the server of the page wants. It arrives in the fragment of the link that `zk ui` prints, and is kept for
 * this origin, so that a link to a path opens in another tab. It ends with the server that made it.
 */
import { tokenParameter } from "@effect-zookeeper/console/Protocol"

const key = "zk-console-token"

/** Takes the token out of the address, so that no link that one copies has it. */
export const takeToken = (): string | undefined => {
  const { hash } = window.location
  const [whole, found] = inAddress.exec(hash) ?? []
  if (found === undefined || whole === undefined) return localStorage.getItem(key) ?? undefined
  keepToken(found)
  window.history.replaceState(null, "", `#${hash.replace(whole, "").replace(/^[#&]+/, "")}`)
  return found
}

export const keepToken = (token: string): void => localStorage.setItem(key, token)

/** The token in a link, or a token alone, as a person pastes it. */
export const tokenIn = (text: string): string | undefined =>
  inAddress.exec(text)?.[1] ?? /^[\w-]{16,}$/.exec(text.trim())?.[0]

/** Paths of znodes have no `=` in an address: it is escaped there. */
const inAddress = new RegExp(`[#&]${tokenParameter}=([\\w-]+)`)
