import { KeyPair } from "../../../lib/signing/nkey.ts";
import { build, type BuildOptions } from "../../../lib/verbs/project/mod.ts";

/** Builds the folder of the first argument with the options of the second, and prints the result. */
const [folder = "", options = "{}"] = Deno.args;
const signer = async (role: "ISSUER" | "SUBJECT"): Promise<KeyPair> =>
  await KeyPair.fromSeed(Deno.env.get(`WASH_${role}_KEY`) ?? "");
const settings: BuildOptions = {
  ...JSON.parse(options),
  signers: async () => ({ issuer: await signer("ISSUER"), subject: await signer("SUBJECT") }),
  onStep: (line) => console.error(line),
  onWarning: (line) => console.error(`Warning: ${line}`),
};
try {
  console.log(JSON.stringify(await build(folder, settings)));
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  console.log(JSON.stringify({ code, message }));
  Deno.exit(1);
}
