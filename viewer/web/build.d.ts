// What build.mjs makes, and style sheets, which esbuild bundles.
declare module "worker-file" {
	/** Where the worker's script is. */
	export const workerFile: string;
}
declare module "*.css";
