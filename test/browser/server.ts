/** A server of files for one page, on this machine only. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

/** A server, until it is closed. */
export interface Server {
  /** Its address, without a slash at the end. */
  readonly origin: string;
  close(): void;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** The strictest policy that lets WebAssembly compile at all. */
export const strictPolicy = "script-src 'self' 'wasm-unsafe-eval'";

/** What a server says of its pages. */
export interface ServeOptions {
  /** Whether it sends the headers that let pages share memory among threads. */
  readonly isolated: boolean;
  /** The content security policy. */
  readonly policy?: string;
}

/** Serves the files of `folder`, and `pages` by their paths. */
export async function serve(
  folder: string,
  pages: Readonly<Record<string, string>>,
  { isolated, policy = strictPolicy }: ServeOptions,
): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    const page = pages[path];
    const content = page === undefined ? readFile(join(folder, path)) : Promise.resolve(page);
    content.then(
      (body) => {
        const type = types[extname(path)] ?? "application/octet-stream";
        const headers = { "Content-Type": type, "Content-Security-Policy": policy };
        response.writeHead(200, { ...headers, ...(isolated ? isolation : {}) }).end(body);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
