// Package regional parses the IDs of Scaleway's regional objects: "region/uuid", or a UUID
// if the region is known otherwise. It also lists the regions with functions.
package regional
