// The viewer's page as the public port serves it: headers, caching, policy, nothing from elsewhere.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openViewer, PHONE_VIEW } from "./viewer_world.mjs";

let world;
before(async () => {
	world = await openViewer({ host: false });
});
after(async () => world?.end());

for (const lang of ["ja", "en"])
	for (const [size, options] of Object.entries({ desk: {}, phone: PHONE_VIEW }))
		test(`the page opens in ${lang} at ${size} size`, async () => {
			const page = await world.page(lang, options);
			await world.visit(page);
			assert.equal(await page.evaluate(() => document.documentElement.lang), lang);
			assert.ok(await page.evaluate(() => isSecureContext));
			await world.axe(page, `viewer ${lang} ${size}`);
			await world.fits(page, `viewer ${lang} ${size}`);
			await world.shot(page, `viewer-first-${lang}-${size}`);
		});
