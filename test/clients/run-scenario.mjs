/**
 * Plays scenarios of a file in whatever runs this, one after another, and prints what they return as a JSON array:
 * `FILE URL NAME...`.
 */
const [file, url, ...names] = process.argv.slice(2);
const { scenarios } = await import(new URL(file, import.meta.url).href);
const seen = [];
for (const name of names) seen.push(await scenarios[name](url));
console.log(JSON.stringify(seen));
// A session that is left open must not keep the process.
process.exit();
