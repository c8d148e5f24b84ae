/**
 * Real registries on loopback, each with its own folder and a port that the system chose.
 *
 * @module
 */

import type { Clock } from "../../lib/registry/retry.ts";
import { isInstalled, runTool, temporaryFolder } from "../_tools.ts";

/** Whether Debian's `docker-registry` is there. */
export const hasDockerRegistry: boolean = isInstalled("docker-registry");
/** Whether version 3 of the same registry is there, which keeps no list of referrers either. */
export const hasDistribution: boolean = isInstalled("registry");
/** Whether `regctl` is there. */
export const hasRegctl: boolean = isInstalled("regctl", "version");
/** Whether `crane` is there, which serves a registry of its own making. */
export const hasCrane: boolean = isInstalled("crane", "version");
/** Whether olareg can be built, a registry that keeps lists of referrers. */
export const hasOlareg: boolean = isInstalled("go", "version");
/** Whether `cosign` is there. */
export const hasCosign: boolean = isInstalled("cosign", "version");
/** Whether `oras` is there. */
export const hasOras: boolean = isInstalled("oras", "version");
/** Whether `skopeo` is there. */
export const hasSkopeo: boolean = isInstalled("skopeo");
/** Whether `openssl` is there. */
export const hasOpenssl: boolean = isInstalled("openssl", "version");
/** Whether `htpasswd` is there; it has no way to say so but to do something. */
export const hasHtpasswd: boolean = isInstalled("htpasswd", "-nb", "user", "password");

/** A registry that runs until its block ends. */
export interface Registry extends AsyncDisposable {
  /** Its host and port, as references have them. */
  readonly host: string;
}

/** A certificate's files. */
export interface Certificate {
  /** Of the authority that signed it, in PEM form. */
  readonly authority: string;
  /** The paths of certificate and key. */
  readonly certificate: string;
  readonly key: string;
}

/** How a registry is to be. */
export interface DockerRegistryOptions {
  /** Which version to start: Debian's, or version 3. */
  readonly program?: "docker-registry" | "registry";
  /** Lets in this user alone. */
  readonly htpasswd?: { readonly user: string; readonly password: string };
  /** Speaks TLS. */
  readonly tls?: Certificate;
  /** Takes tokens alone, and verifies them. */
  readonly token?: {
    readonly realm: string;
    readonly service: string;
    readonly issuer: string;
    readonly rootCertificate: string;
  };
}

/** Starts Debian's registry, or version 3 of it. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<Registry> {
  const folder = await temporaryFolder();
  const auth: Record<string, unknown> = {};
  if (options.htpasswd) {
    const { user, password } = options.htpasswd;
    const path = `${folder.path}/htpasswd`;
    await run("htpasswd", ["-Bbc", path, user, password]);
    auth["htpasswd"] = { realm: "test", path };
  }
  if (options.token) {
    const { realm, service, issuer, rootCertificate } = options.token;
    auth["token"] = { realm, service, issuer, rootcertbundle: rootCertificate };
  }
  const config = `${folder.path}/config.yml`;
  // YAML takes JSON as it is.
  await Deno.writeTextFile(
    config,
    JSON.stringify({
      version: 0.1,
      log: { level: "info", formatter: "text", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: `${folder.path}/data` } },
      http: {
        addr: "127.0.0.1:0",
        secret: "of this test",
        ...(options.tls
          ? { tls: { certificate: options.tls.certificate, key: options.tls.key } }
          : {}),
      },
      ...(Object.keys(auth).length > 0 ? { auth } : {}),
    }),
  );
  return await start(
    options.program ?? "docker-registry",
    ["serve", config],
    /listening on 127\.0\.0\.1:(\d+)/,
    folder,
  );
}

/** Starts the registry that `crane` brings, an implementation of its own. */
export async function startCraneRegistry(): Promise<Registry> {
  const folder = await temporaryFolder();
  return await start(
    "crane",
    ["registry", "serve", "--address", "127.0.0.1:0", "--disk", folder.path],
    /serving on port (\d+)/,
    folder,
  );
}

/** Builds and starts olareg, which keeps lists of referrers. */
export async function startOlareg(): Promise<Registry> {
  const folder = await temporaryFolder();
  const program = `${folder.path}/serve_olareg`;
  await run("go", ["build", "-o", program, "."], {
    cwd: new URL("serve_olareg", import.meta.url).pathname,
    env: { CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false", GOTOOLCHAIN: "local" },
  });
  return await start(program, [], /serving on port (\d+)/, folder);
}

/** Makes a certificate for 127.0.0.1, localhost and registry.example, signed by an authority that nobody knows. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const path = (name: string): string => `${folder}/${name}`;
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"];
  await run("openssl", [
    ...["req", "-x509", ...key, path("ca.key"), "-out", path("ca.crt"), "-days", "2"],
    ...["-subj", "/CN=Authority of a test", "-addext", "basicConstraints=critical,CA:TRUE"],
  ]);
  await run("openssl", [
    ...["req", ...key, path("tls.key"), "-out", path("tls.csr"), "-subj", "/CN=localhost"],
  ]);
  await Deno.writeTextFile(
    path("names"),
    "subjectAltName=DNS:localhost,DNS:registry.example,IP:127.0.0.1\n",
  );
  await run("openssl", [
    ...["x509", "-req", "-in", path("tls.csr"), "-CA", path("ca.crt"), "-CAkey", path("ca.key")],
    ...["-CAcreateserial", "-days", "2", "-extfile", path("names"), "-out", path("tls.crt")],
  ]);
  return {
    authority: await Deno.readTextFile(path("ca.crt")),
    certificate: path("tls.crt"),
    key: path("tls.key"),
  };
}

/** A clock whose waits are over at once, and that remembers them. */
export function instantClock(): Clock & { readonly waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    now: () => Date.now(),
    sleep: (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
    random: () => 0.5,
  };
}

/** Runs a program that must not fail, and gives what it printed. */
export async function run(
  program: string,
  args: readonly string[],
  options?: Parameters<typeof runTool>[2],
): Promise<string> {
  const { code, stdout, stderr } = await runTool(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} failed: ${stderr}${stdout}`);
  return stdout;
}

/** Starts a server and waits until it says which port it has. */
async function start(
  program: string,
  args: readonly string[],
  ready: RegExp,
  folder: AsyncDisposable,
): Promise<Registry> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    env: { OTEL_TRACES_EXPORTER: "none" },
  }).spawn();
  const port = Promise.withResolvers<string>();
  const reading = (async () => {
    let log = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      log = (log + text).slice(-4096);
      const found = ready.exec(log)?.[1];
      if (found !== undefined) port.resolve(found);
    }
    port.reject(new Error(`${program} ended: ${log}`));
  })();
  const stop = async (): Promise<void> => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It ended by itself.
    }
    await child.status;
    await reading;
    await folder[Symbol.asyncDispose]();
  };
  try {
    return { host: `127.0.0.1:${await port.promise}`, [Symbol.asyncDispose]: stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}
