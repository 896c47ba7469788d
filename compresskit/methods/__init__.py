"""Ways to compress: `nas` searches one super-network, others make points with weights of their own."""
