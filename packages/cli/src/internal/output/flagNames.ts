/** Messages of the client in the words of the command line. */

/** Names the flags instead of the options of programs, which the messages of connections name. */
export const inFlags = (message: string): string =>
  message
    .replaceAll(/(?<= )tls\.(ca|cert|key)\b/g, "--$1")
    .replaceAll("(tls://)", "(--tls)")
    .replaceAll("write tls:// before it, or give the option tls", "give --tls")
