// Package regional parses and formats the ids of Scaleway's regional objects:
// "region/uuid", or a bare uuid with a default region.
package regional
