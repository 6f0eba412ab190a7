// What build.mjs makes, and style sheets, which esbuild bundles.
declare module "worker-file" {
	/** Where the worker's script is; "" in the offline file. */
	export const workerFile: string;
	/** The worker's script itself, in the offline file; else "". */
	export const workerText: string;
}
declare module "*.css";
